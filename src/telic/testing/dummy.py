"""`DummyLM`: a scripted LM for tests of programs, without a model."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from telic.adapters import Adapter, ChatAdapter
from telic.lm.base import BaseLM
from telic.signatures import InputField, OutputField, make_signature
from telic.types import Choice, Response

_USED_UP = {"answer": "No more responses"}


class DummyLM(BaseLM):
    """Answers by script, in the form its adapter expects.

    Args:
        answers: what to answer, as field values: a list (or other iterable) is used up in turn; a dict gives
            the answer whose key occurs in the last message.
        follow_examples: answer as the demo did whose input is the question.
        reasoning: also give native reasoning text.
        adapter: whose form answers take; the chat adapter's by default.

    When a list is used up, or no key fits, the answer is a field `answer` that says so.
    """

    def __init__(
        self,
        answers: Iterable[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
        follow_examples: bool = False,
        reasoning: bool = False,
        adapter: Adapter | None = None,
    ) -> None:
        super().__init__("dummy", "chat", 0.0, 1000, True)
        self.answers = answers
        self.follow_examples = follow_examples
        self.reasoning = reasoning
        self.adapter = adapter or ChatAdapter()
        self._script: Iterator[Mapping[str, Any]] = (
            iter(()) if isinstance(answers, Mapping) else iter(answers)
        )
        self._lock = threading.Lock()

    def forward(
        self, prompt: str | None = None, messages: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> Response:
        """The next answers, as many as `n`."""
        messages = messages or [{"role": "user", "content": prompt}]
        count = kwargs.get("n") or 1
        reasoning = "Some reasoning" if self.reasoning else None
        texts = [self._text(messages) for _ in range(count)]
        return Response(tuple(Choice(text, reasoning=reasoning) for text in texts), model="dummy")

    async def aforward(
        self, prompt: str | None = None, messages: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> Response:
        """`forward`; it never waits."""
        return self.forward(prompt, messages, **kwargs)

    def get_convo(self, index: int) -> tuple[Any, list[Any]]:
        """The messages and the answers of a call, by its place in the history."""
        entry = self.history[index]
        return entry["messages"] or entry["prompt"], entry["outputs"]

    def copy(self, **kwargs: Any) -> DummyLM:
        """A copy that goes on with the same script."""
        made = super().copy(**kwargs)
        assert isinstance(made, DummyLM)
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def _text(self, messages: Sequence[Mapping[str, Any]]) -> str:
        if self.follow_examples:
            return self._of_example(messages)
        if isinstance(self.answers, Mapping):
            question = str(messages[-1].get("content"))
            found = next((answer for key, answer in self.answers.items() if key in question), _USED_UP)
            return self._formatted(found)
        with self._lock:
            return self._formatted(next(self._script, _USED_UP))

    def _formatted(self, answer: Mapping[str, Any]) -> str:
        fields = {name: (type(value), OutputField()) for name, value in answer.items()}
        signature = make_signature({"question": (str, InputField()), **fields})
        return self.adapter.format_assistant_message_content(signature, dict(answer))

    @staticmethod
    def _of_example(messages: Sequence[Mapping[str, Any]]) -> str:
        question = str(messages[-1].get("content"))
        for asked, answered in pairwise(messages):
            said = str(asked.get("content"))
            if (
                asked.get("role") == "user"
                and answered.get("role") == "assistant"
                and question.startswith(said)
            ):
                return str(answered.get("content"))
        return ""


class DummyVectorizer:
    """Hashes character n-grams into vectors: equal texts get equal vectors, similar ones similar ones.

    Args:
        max_length: length of a vector.
        n_gram: characters in a gram.
    """

    def __init__(self, max_length: int = 100, n_gram: int = 2) -> None:
        self.max_length = max_length
        self.n_gram = n_gram

    def __call__(self, texts: Sequence[str]) -> Any:
        """Vectors of shape `(len(texts), max_length)`, float32, each of mean 0 and length 1."""
        import numpy as np

        from telic._json import stable_hash

        vectors: Any = np.zeros((len(texts), self.max_length), dtype=np.float32)
        for row, text in enumerate(texts):
            for start in range(len(text) - self.n_gram + 1):
                gram = text[start : start + self.n_gram]
                vectors[row, int(stable_hash(gram), 16) % self.max_length] += 1.0
        vectors -= vectors.mean(axis=1, keepdims=True)
        return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-10)


def dummy_rm(passages: Sequence[str] = ()) -> Any:
    """A retriever over `passages` by `DummyVectorizer`: `rm(query, k=3)` gives objects with `long_text`."""
    texts = list(passages)
    vectorizer = DummyVectorizer()
    known = vectorizer(texts) if texts else None

    def inner(query: str, *, k: int = 3, **_: Any) -> list[Any]:
        if known is None or k > len(texts):
            raise ValueError(f"k={k} of {len(texts)} passages.")
        scores = known @ vectorizer([query])[0]
        return [SimpleNamespace(long_text=texts[i]) for i in scores.argsort()[::-1][:k]]

    return inner
