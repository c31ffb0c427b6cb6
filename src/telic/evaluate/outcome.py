"""What became of one example: the prediction, its score, what went wrong, what it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from telic.errors import AdapterParseError, redact
from telic.types import Request, Response, Usage

_booking = Lock()


@dataclass(slots=True)
class Outcome:
    """One rollout of a program on one example.

    It is itself told of each LM call made for it (by the program and by the metric), see `add`.

    Attributes:
        index: place of the example in what was run.
        example: the example.
        rollout_id: which sample of the program this is; `None` for the canonical one.
        prediction: what the program returned; `None` where it raised.
        value: what the metric returned, as it did.
        score: the score; `None` where there is none because of `error`.
        feedback: what the metric said besides the score.
        failure: the model's answer could not be read; scored with the failure score.
        error: anything else that was raised; not scored.
        scoring: the program had answered, so that `error` is the metric's.
        trace: predictor calls as `(predictor, inputs, prediction)`, where asked for.
        calls: LM calls that were paid for.
        cached_calls: LM calls answered from the record.
        prompt_tokens: tokens read in the paid calls.
        completion_tokens: tokens written in the paid calls.
        cached_tokens: those of `prompt_tokens` that servers did not have to read again; `None` if none told.
        cost: US dollars of the paid calls; `None` where a price is not known.
        seconds: time the program took.
        full_tokens: tokens of all calls of the program, those from the record too; not those of the metric.
        full_cost: US dollars that these calls cost when they were made; `None` where a price is not known.
        full_seconds: that these calls took when they were made, one after the other.
    """

    index: int
    example: Any
    rollout_id: int | str | None = None
    prediction: Any = None
    value: Any = None
    score: float | None = None
    feedback: Any = None
    failure: AdapterParseError | None = None
    error: BaseException | None = None
    scoring: bool = False
    trace: list[tuple[Any, Mapping[str, Any], Any]] | None = None
    calls: int = 0
    cached_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int | None = None
    cost: float | None = 0.0
    seconds: float = 0.0
    full_tokens: int = 0
    full_cost: float | None = 0.0
    full_seconds: float = 0.0

    @property
    def status(self) -> Literal["ok", "failure", "error"]:
        """`"ok"`, `"failure"` (an unreadable answer) or `"error"`."""
        return "error" if self.error is not None else "failure" if self.failure is not None else "ok"

    @property
    def problem(self) -> BaseException | None:
        """The error or the failure, if there is one."""
        return self.error if self.error is not None else self.failure

    @property
    def usage(self) -> Usage:
        """Tokens of the paid calls."""
        return Usage(self.prompt_tokens, self.completion_tokens, self.cached_tokens)

    def add(self, request: Request, response: Response) -> None:
        """Book an answered LM call; what came from the record is counted, but took nothing."""
        # A program may call from threads of its own.
        with _booking:
            if not self.scoring:
                self._add_in_full(response)
            if response.cached:
                self.cached_calls += 1
                return
            # Numbers rather than a Usage: a hundred thousand outcomes are kept, and looked through by the
            # garbage collector.
            usage = response.usage
            self.prompt_tokens += usage.prompt_tokens
            self.completion_tokens += usage.completion_tokens
            if usage.cached_tokens is not None:
                self.cached_tokens = (self.cached_tokens or 0) + usage.cached_tokens
            self.calls += 1
            if self.cost is not None:
                self.cost = None if response.cost is None else self.cost + response.cost

    def _add_in_full(self, response: Response) -> None:
        self.full_tokens += response.usage.total_tokens
        self.full_seconds += response.latency
        if self.full_cost is not None:
            self.full_cost = None if response.cost is None else self.full_cost + response.cost


def describe(error: BaseException) -> str:
    """An exception in words, with its class and without secrets: `ValueError: boom`."""
    text = redact(str(error)).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def traceback_text(error: BaseException) -> str:
    """The traceback of an exception and of its causes, without secrets."""
    from traceback import format_exception

    return redact("".join(format_exception(error)))


@dataclass(frozen=True, slots=True)
class Problem:
    """An example that was not answered as it should be.

    Attributes:
        index: its place in the devset.
        example: the example.
        error: what was raised, in words.
        type: class of the exception.
        program_path: where in the program it happened, where known.
        traceback: where in the code it happened; only where tracebacks were asked for.
        exception: the exception itself.
    """

    index: int
    example: Any
    error: str
    type: str
    program_path: str | None
    traceback: str | None
    exception: BaseException

    @classmethod
    def of(cls, outcome: Outcome, *, with_traceback: bool) -> Problem:
        """What went wrong in an outcome that has a problem."""
        error = outcome.problem
        assert error is not None
        return cls(
            outcome.index,
            outcome.example,
            describe(error),
            type(error).__name__,
            getattr(error, "program_path", None),
            traceback_text(error) if with_traceback else None,
            error,
        )

    def __str__(self) -> str:
        return self.error

    def to_json(self) -> dict[str, Any]:
        """All but the exception object and the example."""
        row = {"index": self.index, "type": self.type, "error": self.error, "program_path": self.program_path}
        return row if self.traceback is None else {**row, "traceback": self.traceback}
