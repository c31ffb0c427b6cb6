"""An answer on its way: the chunks it comes in, and the whole they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from telic.errors import LMCollectionLimitError, LMStreamAssemblyError
from telic.types.request import Choice, Response, Usage

LONGEST_ANSWER = 50_000_000
"""Characters of one streamed answer, all choices together; what goes on beyond is a server out of control."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one event of a stream adds to an answer.

    Attributes:
        text: to be appended.
        reasoning: native reasoning text to be appended; `None` where the event has none.
        tool_calls: deltas of native tool calls, OpenAI-shaped, each with its `index`.
        finish_reason: why the choice ended; `None` while it goes on.
        usage: tokens of the whole answer, where this event tells them.
        index: which choice it belongs to.
        logprobs: of the tokens in it, as the engine gave them.
        model: the model as the provider names it.
        cost: US dollars of the whole answer, told together with `usage`; `None` where unknown.
        extra: what else the provider put beside the text, such as
            `{"provider_specific_fields": {"citation": …}}`.
        cached: the answer came out of the record; nothing was paid for it now.
    """

    text: str = ""
    reasoning: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    index: int = 0
    logprobs: Any = None
    model: str = ""
    cost: float | None = None
    extra: Mapping[str, Any] | None = None
    cached: bool = False

    @property
    def choices(self) -> list[Any]:
        """The same in OpenAI's shape, for code that reads `chunk.choices[0].delta.content`."""
        delta = SimpleNamespace(
            content=self.text or None,
            reasoning_content=self.reasoning,
            tool_calls=list(self.tool_calls) or None,
            **(self.extra or {}),
        )
        return [SimpleNamespace(index=self.index, delta=delta, finish_reason=self.finish_reason)]

    def to_json(self) -> dict[str, Any]:
        """In OpenAI's shape, without what is empty."""
        delta: dict[str, Any] = {"content": self.text or None}
        if self.reasoning is not None:
            delta["reasoning_content"] = self.reasoning
        if self.tool_calls:
            delta["tool_calls"] = list(self.tool_calls)
        choice = {"index": self.index, "delta": delta, "finish_reason": self.finish_reason}
        row: dict[str, Any] = {"model": self.model, "choices": [choice]}
        if self.usage is not None:
            row["usage"] = self.usage.to_json()
        return row


def chunks_of(response: Response) -> Iterator[Chunk]:
    """A whole answer as a stream: one chunk a choice, and one a citation."""
    last = len(response.choices) - 1
    for index, choice in enumerate(response.choices):
        yield Chunk(
            choice.text or "",
            choice.reasoning,
            tuple({"index": number, **call} for number, call in enumerate(choice.tool_calls)),
            choice.finish_reason,
            response.usage if index == last else None,
            index,
            choice.logprobs,
            response.model,
            response.cost if index == last else None,
            cached=response.cached,
        )
        for citation in choice.citations:
            extra = {"provider_specific_fields": {"citation": citation}}
            yield Chunk(index=index, extra=extra, cached=response.cached)


class Assembly:
    """Puts the chunks of one answer together.

    Args:
        model: `provider/name`, for messages and where no chunk names the model.
        longest: most characters to collect.
    """

    def __init__(self, model: str, *, longest: int = LONGEST_ANSWER) -> None:
        self._model = model
        self._longest = longest
        self._began = perf_counter()
        self._choices: dict[int, _Parts] = {}
        self._size = 0
        self._named = ""
        self._usage: Usage | None = None
        self._cost: float | None = None

    def add(self, chunk: Chunk) -> None:
        """Take in the next chunk.

        Raises:
            LMCollectionLimitError: the answer is longer than allowed; `partial` is what there is.
            LMStreamAssemblyError: a delta of a tool call does not say which call it belongs to.
        """
        self._named = chunk.model or self._named
        if chunk.usage is not None:
            self._usage, self._cost = chunk.usage, chunk.cost
            if not (chunk.text or chunk.finish_reason or chunk.reasoning or chunk.tool_calls):
                return
        parts = self._choices.setdefault(chunk.index, _Parts())
        try:
            self._size += parts.add(chunk)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise LMStreamAssemblyError(
                f"{self._model} streamed a tool call that cannot be put together ({error!r}).",
                partial=self.partial,
                part_index=chunk.index,
                model=self._model,
            ) from error
        if self._size > self._longest:
            raise LMCollectionLimitError(
                f"{self._model} went on beyond {self._longest} characters. Set max_tokens, or a stop text.",
                source=self,
                model=self._model,
            )

    @property
    def partial(self) -> Response:
        """What has arrived so far, finished or not."""
        choices = tuple(self._choices[index].choice() for index in sorted(self._choices))
        seconds = perf_counter() - self._began
        return Response(choices, self._usage or Usage(), self._named or self._model, self._cost, seconds)

    def response(self) -> Response:
        """The whole answer.

        Raises:
            LMStreamAssemblyError: the stream ended before the answer did; `partial` is what there is.
        """
        open_ = [index for index, parts in self._choices.items() if parts.finish_reason is None]
        if open_ or not self._choices:
            raise LMStreamAssemblyError(
                f"{self._model} ended its stream before its answer was complete.",
                partial=self.partial,
                part_index=open_[0] if open_ else None,
                model=self._model,
            )
        return self.partial


class _Parts:
    """One choice, as far as it has come."""

    __slots__ = ("_calls", "_citations", "_logprobs", "_reasoning", "_texts", "finish_reason")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._citations: list[dict[str, Any]] = []
        self._logprobs: list[Any] = []
        self.finish_reason: str | None = None

    def add(self, chunk: Chunk) -> int:
        """Append; returns how many characters came."""
        size = len(chunk.text) + len(chunk.reasoning or "")
        if chunk.text:
            self._texts.append(chunk.text)
        if chunk.reasoning is not None:
            self._reasoning.append(chunk.reasoning)
        for delta in chunk.tool_calls:
            size += self._add_call(delta)
        if chunk.logprobs is not None:
            self._logprobs.append(chunk.logprobs)
        citation = ((chunk.extra or {}).get("provider_specific_fields") or {}).get("citation")
        if citation is not None:
            self._citations.append(dict(citation))
        self.finish_reason = chunk.finish_reason or self.finish_reason
        return size

    def _add_call(self, delta: Mapping[str, Any]) -> int:
        """Name and id come once, arguments in pieces."""
        index = delta.get("index")
        if index is None:  # a new id begins a call, anything else goes on with the last one
            index = len(self._calls) if delta.get("id") else max(self._calls, default=0)
        empty = {"id": None, "type": "function", "function": {"name": "", "arguments": ""}}
        call = self._calls.setdefault(int(index), empty)
        function = delta.get("function") or {}
        arguments = function.get("arguments") or ""
        call["id"] = delta.get("id") or call["id"]
        call["function"]["name"] = call["function"]["name"] or function.get("name") or ""
        call["function"]["arguments"] += arguments
        return len(arguments)

    def choice(self) -> Choice:
        """What has come."""
        calls = tuple(self._calls[number] for number in sorted(self._calls))
        return Choice(
            "".join(self._texts) if self._texts or not calls else None,
            self.finish_reason or "stop",
            calls,
            "".join(self._reasoning) if self._reasoning else None,
            _joined(self._logprobs),
            tuple(self._citations),
        )


def _joined(logprobs: list[Any]) -> Any:
    """Of all chunks together: lists are appended, key by key."""
    if len(logprobs) < 2:
        return logprobs[0] if logprobs else None
    total: dict[str, Any] = {}
    for part in logprobs:
        for name, value in part.items() if isinstance(part, Mapping) else ():
            if isinstance(value, list):
                total.setdefault(name, []).extend(value)
            elif value is not None:
                total[name] = value
    return total or None
