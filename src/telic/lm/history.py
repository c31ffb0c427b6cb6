"""What was asked and answered lately, for people to look at. Bounded in bytes, so that it never grows with
use.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from time import time
from typing import Any, TextIO, overload

from telic.runtime.settings import settings
from telic.types import Request, Response
from telic.types.slim import slim_request


class HistoryEntry(Mapping[str, Any]):
    """One call, read like a dict: `prompt, messages, kwargs, response, outputs, usage, cost, timestamp, uuid,
    model, response_model, model_type`. Of pictures and files in messages it keeps kind, size and hash.
    """

    __slots__ = ("_time", "_uuid", "request", "response")

    _KEYS = (
        "prompt",
        "messages",
        "kwargs",
        "response",
        "outputs",
        "usage",
        "cost",
        "timestamp",
        "uuid",
        "model",
        "response_model",
        "model_type",
    )

    def __init__(self, request: Request, response: Response, time: float) -> None:
        self.request = slim_request(request)
        self.response = response
        self._time = time
        self._uuid: str | None = None

    def __getitem__(self, key: str) -> Any:
        if key not in self._KEYS:
            raise KeyError(key)
        return getattr(self, f"_get_{key}", lambda: getattr(self.request, key, None))()

    def __iter__(self) -> Iterator[str]:
        return iter(self._KEYS)

    def __len__(self) -> int:
        return len(self._KEYS)

    def __repr__(self) -> str:
        return f"HistoryEntry({self.request.model}, {self['timestamp']}, outputs={self['outputs']!r})"

    def _get_prompt(self) -> str | None:
        return self.request.prompt if self.request.spoken is None else self.request.spoken

    def _get_messages(self) -> list[dict[str, Any]] | None:
        return None if self.request.messages is None else list(self.request.messages)

    def _get_kwargs(self) -> dict[str, Any]:
        return dict(self.request.params)

    def _get_response(self) -> Any:
        return self.response.raw if self.response.raw is not None else self.response

    def _get_outputs(self) -> list[Any]:
        return outputs(self.response)

    def _get_usage(self) -> dict[str, Any]:
        return self.response.usage.to_json()

    def _get_cost(self) -> float | None:
        return self.response.cost

    def _get_timestamp(self) -> str:
        return datetime.fromtimestamp(self._time, UTC).isoformat()

    def _get_uuid(self) -> str:
        if self._uuid is None:
            from uuid import uuid4

            self._uuid = str(uuid4())
        return self._uuid

    def _get_response_model(self) -> str:
        return self.response.model

    def _get_model_type(self) -> str:
        return "text" if self.request.messages is None else "chat"

    def size(self) -> int:
        """Roughly how many characters this entry keeps alive."""
        total = 400 + len(self.request.prompt or "")
        for message in self.request.messages or ():
            content = message.get("content")
            total += len(content) if isinstance(content, str) else len(repr(content)) if content else 0
        for choice in self.response.choices:
            total += len(choice.text or "")
        return total


def outputs(response: Response) -> list[Any]:
    """The answers as `lm(...)` returns them: a string each, or a dict where there is more than text."""
    result: list[Any] = []
    for choice in response.choices:
        if not (choice.tool_calls or choice.reasoning or choice.logprobs):
            result.append(choice.text)
            continue
        entry: dict[str, Any] = {"text": choice.text}
        if choice.reasoning:
            entry["reasoning_content"] = choice.reasoning
        if choice.logprobs:
            entry["logprobs"] = choice.logprobs
        if choice.tool_calls:
            entry["tool_calls"] = list(choice.tool_calls)
        result.append(entry)
    return result


class History:
    """The last calls, oldest first, within `max_history_size` and `max_history_bytes` of the settings."""

    def __init__(self) -> None:
        self._entries: deque[tuple[int, Mapping[str, Any]]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add an entry; the oldest go where the cap is passed."""
        size = entry.size() if isinstance(entry, HistoryEntry) else len(repr(entry))
        self._append(entry, size, settings.max_history_bytes, settings.max_history_size)

    def _append(self, entry: Mapping[str, Any], size: int, cap: int, most: int) -> None:
        with self._lock:
            self._entries.append((size, entry))
            self._bytes += size
            while (self._bytes > cap and len(self._entries) > 1) or len(self._entries) > most:
                self._bytes -= self._entries.popleft()[0]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter([entry for _, entry in list(self._entries)])

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[Mapping[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, int):
            return self._entries[index][1]
        return [entry for _, entry in list(self._entries)][index]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (list, History)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"History({list(self)!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> History:
        return History()

    def __reduce__(self) -> tuple[Any, ...]:
        return (History, ())


GLOBAL_HISTORY = History()
"""Calls of every LM of the process."""


def note(own: History, request: Request, response: Response) -> None:
    """Add an answered call to an LM's own history and to that of the process, as the settings allow."""
    if settings.disable_history:
        return
    entry = HistoryEntry(request, response, time())
    size, cap, most = entry.size(), settings.max_history_bytes, settings.max_history_size
    own._append(entry, size, cap, most)
    GLOBAL_HISTORY._append(entry, size, cap, most)


def inspect_history(n: int = 1, file: TextIO | None = None, *, history: History | None = None) -> None:
    """Print the last `n` calls of the process as they were sent and answered.

    Args:
        n: how many.
        file: where to; standard output by default.
        history: whose calls; those of every LM by default.
    """
    from telic.lm.transcript import print_transcript

    print_transcript((GLOBAL_HISTORY if history is None else history)[-n:] if n > 0 else [], file)
