"""Asks of a strategy: run many at once, each reply written down before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from telic.data.example import Example
from telic.errors import BudgetExceededError
from telic.evaluate.outcome import Outcome as Ran, describe
from telic.evaluate.runner import Job, run_jobs
from telic.optimize.journal import Journal
from telic.optimize.strategy import Ask, Reply
from telic.optimize.window import fit_ask
from telic.runtime.settings import settings
from telic.signatures.validation import to_jsonable


def answer(
    asks: Sequence[Ask],
    journal: Journal,
    *,
    num_threads: int | None,
    booked: Callable[[Ask, Ran], None],
) -> list[Reply]:
    """Have every ask replied to: from the journal, or by running it, its inputs cut to the model's window.

    Args:
        asks: what is wanted; two with the same key are one.
        journal: where replies are looked up and written down.
        num_threads: how many at once.
        booked: told of each that was run; what it raises ends the run.
    """
    open_ = {ask.key: ask for ask in asks if journal.reply(ask) is None}
    failed: dict[str, Reply] = {}

    notes: dict[str, str | None] = {}

    def job(ask: Ask) -> Job:
        fitting, notes[ask.key] = fit_ask(ask)
        return _job(fitting)

    def on_result(ask: Ask, ran: Ran) -> None:
        reply = _reply(ask, ran, notes[ask.key])
        if ran.error is None:
            journal.replied(reply)
        else:
            failed[ask.key] = reply
            if not isinstance(ran.error, BudgetExceededError):
                journal.unanswered(ask, describe(ran.error))
        booked(ask, ran)

    for lm in {id(ask.lm): ask.lm for ask in open_.values()}.values():
        group = [ask for ask in open_.values() if ask.lm is lm]
        with _asking(lm):
            run_jobs(
                [job(ask) for ask in group],
                None,
                num_threads=num_threads,
                on_result=lambda ran, group=group: on_result(group[ran.index], ran),
            )
    return [journal.reply(ask) or replace(failed[ask.key], ask=ask) for ask in asks]


def _asking(lm: Any) -> AbstractContextManager[None]:
    return nullcontext() if lm is None else settings.context(lm=lm)


def _job(ask: Ask) -> Job:
    temperature = 1.0 if ask.rollout and ask.temperature is None else ask.temperature
    program: Any = ask.program
    if temperature is not None and hasattr(program, "named_predictors"):
        program = program.deepcopy()
        for _, predictor in program.named_predictors():
            predictor.config = {**predictor.config, "temperature": temperature}
    return Job(program, Example(dict(ask.inputs)).with_inputs(*ask.inputs), ask.rollout or None)


def _reply(ask: Ask, ran: Ran, note: str | None) -> Reply:
    problem = ran.problem
    return Reply(
        ask,
        None if problem is not None else plain_value(ran.prediction),
        None if problem is None else describe(problem),
        ran.calls + ran.cached_calls,
        ran.full_tokens,
        ran.full_cost,
        note,
    )


def plain_value(value: Any) -> Any:
    """What a program returned, as JSON: its fields where it has any."""
    if hasattr(value, "toDict"):
        return {name: to_jsonable(field) for name, field in value.items()}
    return to_jsonable(value)
