"""One question to a model and one answer: the neutral shapes that cross layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from telic._json import stable_hash

Message: TypeAlias = dict[str, Any]
"""A chat message in OpenAI's shape: `{"role": ..., "content": str | list[part], ...}`."""


@dataclass(frozen=True)
class Constraint:
    """How the engine may narrow the answer. Engines use what they can and ignore the rest.

    Attributes:
        json_schema: the answer is one JSON value of this schema.
        grammar: the answer is derived from this GBNF grammar.
    """

    json_schema: Mapping[str, Any] | None = None
    grammar: str | None = None


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked of a model. Exactly one of `messages` (chat) and `prompt` (plain continuation) is set.

    Attributes:
        model: `provider/name`.
        endpoint: who answers: base URL, weights hash or class name; part of the key, free of secrets.
        messages: chat messages, OpenAI-shaped.
        prompt: text to continue.
        params: sampling and provider parameters by their OpenAI names (`temperature`, `max_tokens`, `stop`,
            `n`, `seed`, `tools`, …), without `None` values.
        constraint: how to narrow the answer.
        rollout_id: `None` for the canonical answer; another value asks for another sample.
        spoken: the text that the caller gave, where it was made a message; for the history, no part of the
            key.
    """

    model: str
    endpoint: str = ""
    messages: Sequence[Message] | None = None
    prompt: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    constraint: Constraint | None = None
    rollout_id: int | str | None = None
    spoken: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; everything that changes the answer, nothing secret."""
        row: dict[str, Any] = {"model": self.model, "endpoint": self.endpoint}
        if self.messages is not None:
            row["messages"] = list(self.messages)
        if self.prompt is not None:
            row["prompt"] = self.prompt
        row["params"] = dict(self.params)
        if self.constraint is not None:
            row["constraint"] = {k: v for k, v in vars(self.constraint).items() if v is not None}
        if self.rollout_id is not None:
            row["rollout_id"] = self.rollout_id
        return row

    @cached_property
    def key(self) -> str:
        """Hash of `to_json()`: two requests with one key have one answer."""
        return stable_hash(self.to_json())


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more answers.

    Attributes:
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        cached_tokens: those of `prompt_tokens` that the server did not have to read again; None if not told.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int | None = None

    @property
    def total_tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def keys(self) -> list[str]:
        """With `usage[name]`, lets `dict(usage)` be what `to_json()` is."""
        return list(self.to_json())

    def __getitem__(self, name: str) -> Any:
        return self.to_json()[name]

    def __add__(self, other: Usage) -> Usage:
        cached = [c for c in (self.cached_tokens, other.cached_tokens) if c is not None]
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(cached) if cached else None,
        )

    def to_json(self) -> dict[str, Any]:
        """By OpenAI's names, `total_tokens` included."""
        row: dict[str, Any] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
        }
        if self.cached_tokens is not None:
            row["prompt_tokens_details"] = {"cached_tokens": self.cached_tokens}
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any] | None) -> Usage:
        """Read OpenAI's shape (chat or text); absent numbers are 0."""
        row = row or {}
        details = row.get("prompt_tokens_details") or {}
        return cls(
            int(row.get("prompt_tokens") or 0),
            int(row.get("completion_tokens") or 0),
            details.get("cached_tokens"),
        )


FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"] | str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to a request.

    Attributes:
        text: what was written; `None` where there are only tool calls.
        finish_reason: why it ended; `"length"` means it was cut at `max_tokens` or the window.
        tool_calls: native tool calls, OpenAI-shaped.
        reasoning: native reasoning text, where the provider gives it.
        logprobs: as the engine gave them.
        citations: native citations, as the provider gave them.
    """

    text: str | None
    finish_reason: FinishReason = "stop"
    tool_calls: tuple[dict[str, Any], ...] = ()
    reasoning: str | None = None
    logprobs: Any = None
    citations: tuple[dict[str, Any], ...] = ()

    @property
    def message(self) -> Any:
        """The answer in OpenAI's shape: `.content`, `.tool_calls`, `.reasoning_content`, `.role`."""
        from types import SimpleNamespace

        return SimpleNamespace(
            role="assistant",
            content=self.text,
            tool_calls=list(self.tool_calls) or None,
            reasoning_content=self.reasoning,
        )

    def to_json(self) -> dict[str, Any]:
        """Without what is empty."""
        row: dict[str, Any] = {"text": self.text, "finish_reason": self.finish_reason}
        if self.tool_calls:
            row["tool_calls"] = list(self.tool_calls)
        if self.reasoning is not None:
            row["reasoning"] = self.reasoning
        if self.logprobs is not None:
            row["logprobs"] = self.logprobs
        if self.citations:
            row["citations"] = list(self.citations)
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Choice:
        """The inverse of `to_json`."""
        return cls(
            row.get("text"),
            row.get("finish_reason") or "stop",
            tuple(row.get("tool_calls") or ()),
            row.get("reasoning"),
            row.get("logprobs"),
            tuple(row.get("citations") or ()),
        )


@dataclass(frozen=True, slots=True)
class Response:
    """What a model answered, and what it took.

    Attributes:
        choices: at least one answer.
        usage: tokens, as told by the engine.
        model: the model as the provider names it.
        cost: US dollars, or `None` where no price is known. Never 0 for want of knowledge.
        latency: seconds from sending to the last byte.
        cached: this copy came out of the store; nothing was paid for it now.
        raw: the provider's own object where the engine was a user's class; not stored.
    """

    choices: tuple[Choice, ...]
    usage: Usage = Usage()
    model: str = ""
    cost: float | None = None
    latency: float = 0.0
    cached: bool = False
    raw: Any = None

    def to_json(self) -> dict[str, Any]:
        """As stored; `cached` and `raw` are facts of a copy, not of the answer."""
        return {
            "choices": [c.to_json() for c in self.choices],
            "usage": self.usage.to_json(),
            "model": self.model,
            "cost": self.cost,
            "latency": self.latency,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any], *, cached: bool = True) -> Response:
        """The inverse of `to_json`."""
        return cls(
            tuple(Choice.from_json(c) for c in row["choices"]),
            Usage.from_json(row.get("usage")),
            row.get("model") or "",
            row.get("cost"),
            row.get("latency") or 0.0,
            cached,
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model, as reached through its engine, can do. Adapters are told this, and decide by it.

    Attributes:
        chat: takes messages.
        completion: continues plain text.
        json_schema: can be held to a JSON schema.
        json_object: can be held to JSON of whatever shape.
        grammar: can be held to a GBNF grammar.
        tools: native tool calls.
        reasoning: gives native reasoning text.
        context_window: tokens of prompt plus answer, if known.
    """

    chat: bool = True
    completion: bool = False
    json_schema: bool = False
    json_object: bool = False
    grammar: bool = False
    tools: bool = False
    reasoning: bool = False
    context_window: int | None = None
