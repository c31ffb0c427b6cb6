"""A planted problem for whole searches: a scripted LM that does best with many balanced demos, in lines."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

from telic.types import Capabilities
from tests.optimize.planted import LABELS
from tests.scripted import RecordedLM, chat, completion


def level(form: str, shown: Counter[str]) -> float:
    """Share of words that the model gets right."""
    fewest = min(shown[label] for label in LABELS)
    most = {"plain": 0.95, "json": 0.5, "chat": 0.4}[form]
    return min(most, 0.25 + 0.15 * fewest)


class SkewedLM(RecordedLM):
    """Takes prompts and messages; every word has its own difficulty, the same in every process."""

    def __init__(self, *, chats: bool = True) -> None:
        super().__init__(lambda text: text)
        self.forms: Counter[str] = Counter()
        self._can = Capabilities(chat=chats, completion=True, context_window=8192)

    @property
    def capabilities(self) -> Capabilities:
        return self._can

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        with self._lock:
            self.asked.append(list(messages or [{"role": "user", "content": prompt}]))
        text = "\n".join(str(message["content"]) for message in self.asked[-1])
        form = self.form(text)
        self.forms[form] += 1
        *shown, word = re.findall(r"(?:red|green|blue|gold)-\d+", text)
        label = word.partition("-")[0]
        right = hardness(word) < level(form, Counter(one.partition("-")[0] for one in shown))
        answer = label if right else LABELS[(LABELS.index(label) + 1) % 4]
        written = {"plain": f" {answer}", "json": json.dumps({"colour": answer}), "chat": chat(colour=answer)}
        return completion(written[form])

    @staticmethod
    def form(text: str) -> str:
        if "Colour:" in text:
            return "plain"
        return "chat" if "[[ ## completed ## ]]" in text else "json"


def hardness(word: str) -> float:
    return int(hashlib.md5(word.encode()).hexdigest()[:4], 16) / 0x10000
