"""A planted problem: an LM whose quality depends in a known way on its instruction and on its demos.

It names the colour of a word rightly in 20 % of words by itself, in 40 % more under the planted instruction,
and in 40 % more where at least three colours are shown in demos. It writes the planted instruction under
three of the seven tips (so five proposals have at least one of them), and useless ones otherwise.
"""

from __future__ import annotations

import re
import threading
from typing import Any

from telic._json import stable_hash
from telic.lm.base import BaseLM
from tests.optimize.planted import LABELS, Colour, exact, rows
from tests.scripted import chat, completion

__all__ = ["GOOD", "Colour", "PlantedLM", "exact", "quality", "rows"]

GOOD = "Read the word before the dash, then name that colour."
_WANTED = re.compile(r"Now write `\[\[ ## (\w+) ## \]\]`")


class PlantedLM(BaseLM):
    """Answers by the request alone.

    Args:
        readable: whether it keeps to the form when it is asked for a proposal.

    Attributes:
        asked: requests for colours.
        proposals: all other requests, as text.
    """

    recorded = True

    def __init__(self, *, readable: bool = True, model: str = "planted/model") -> None:
        super().__init__(model)
        self.readable = readable
        self.asked: list[Any] = []
        self.proposals: list[str] = []
        self._lock = threading.Lock()

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        last = messages[-1]["content"]
        (wanted,) = _WANTED.findall(last)
        with self._lock:
            (self.asked if wanted == "colour" else self.proposals).append(
                messages if wanted == "colour" else "\n".join(m["content"] for m in messages)
            )
        return completion(self._colour(messages) if wanted == "colour" else self._proposal(wanted, last))

    async def aforward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        return self.forward(prompt, messages, **kwargs)

    def skill(self, messages: Any) -> float:
        """Percent of words it is right on."""
        shown = {m["content"].split("]]\n")[1].split("\n")[0] for m in messages if m["role"] == "assistant"}
        return 20 + 40 * (GOOD in messages[0]["content"]) + 40 * (len(shown) >= 3)

    def _colour(self, messages: Any) -> str:
        word = re.findall(r"\w+-\d+", messages[-1]["content"])[-1]
        right = word.partition("-")[0]
        skill = self.skill(messages)
        lucky = int(stable_hash(word), 16) % 100 < skill
        return chat(colour=right if lucky else LABELS[(LABELS.index(right) + 1) % 4])

    def _proposal(self, wanted: str, last: str) -> str:
        if not self.readable:
            return ""
        return self.proposal(wanted, last)

    def proposal(self, wanted: str, last: str) -> str:
        """What it answers to all that is not a question for a colour."""
        if wanted != "instruction":
            return chat(**{wanted: "Words with a colour in front."})
        good = any(words in last for words in ("which order", "Be thorough", "Be brief"))
        return chat(instruction=GOOD if good else f"Try hard ({stable_hash(last)[:4]}).")


def quality(instruction: str, demos: list[Any]) -> float:
    """The share of words a state of the program is right on, in the long run."""
    return 0.2 + 0.4 * (instruction == GOOD) + 0.4 * (len({d["colour"] for d in demos}) >= 3)
