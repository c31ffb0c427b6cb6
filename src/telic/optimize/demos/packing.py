"""Demos within the context window: counted before a call is made, least valuable first out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.errors import LMNotConfiguredError
from telic.optimize.problem import Problem
from telic.optimize.window import room, tokens
from telic.program.pipeline import resolve_lm
from telic.program.state import ProgramState

_SAMPLE = 5
"""How many of the longest inputs the prompt is measured with."""


def pack(problem: Problem, state: ProgramState) -> tuple[ProgramState, tuple[str, ...]]:
    """Drop demos until every prompt fits the model's window.

    Labelled demos go before bootstrapped ones, and later ones before earlier. The prompt is counted by the
    model's own tokenizer with the longest inputs of the training set (for a predictor whose inputs are made
    by another one: with those of its demos).

    Returns:
        The state, and a note for each predictor that lost demos.
    """
    program = state.apply(problem.student)
    notes: list[str] = []
    kept: dict[str, list[Mapping[str, Any]]] = {}
    for path, predictor in program.named_predictors():
        demos = list(state.demos(path))
        fitting = _fitting(problem, predictor, demos)
        if len(fitting) < len(demos):
            kept[path] = fitting
            notes.append(
                f"{path}: {len(demos) - len(fitting)} of {len(demos)} demos left out to fit the model's "
                "window."
            )
    return (state.with_demos(kept), tuple(notes)) if kept else (state, ())


def _fitting(problem: Problem, predictor: Any, demos: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    try:
        lm = resolve_lm(predictor.lm)
    except LMNotConfiguredError:
        return list(demos)
    space = room(predictor, lm)
    inputs = _longest_inputs(problem, predictor, demos)
    if space is None or not demos or not inputs:
        return list(demos)
    ranked = sorted(range(len(demos)), key=lambda i: (not demos[i].get("augmented"), i))

    def fits(count: int) -> bool:
        predictor.demos = [demos[i] for i in sorted(ranked[:count])]
        return all(tokens(lm, predictor.request_for(**values)) <= space for values in inputs)

    low, high = 0, len(demos)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return [demos[i] for i in sorted(ranked[:low])]


def _longest_inputs(
    problem: Problem, predictor: Any, demos: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    names = list(predictor.signature.input_fields)
    rows: list[Mapping[str, Any]] = [e.toDict() for e in (*problem.trainset, *problem.valset)]
    rows = [row for row in rows if all(name in row for name in names)] or [
        demo for demo in demos if all(name in demo for name in names)
    ]
    inputs = [{name: row[name] for name in names} for row in rows]
    return sorted(inputs, key=lambda values: -len(str(values)))[:_SAMPLE]
