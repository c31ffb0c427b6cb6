"""How many runs a GEPA compile may score."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

from telic.errors import CompileError

CANDIDATES = {"light": 6, "medium": 12, "heavy": 18}
"""How many candidates each of `auto`'s words is meant for."""


def auto_budget(
    num_preds: int, num_candidates: int, valset_size: int, minibatch_size: int = 35, full_eval_steps: int = 5
) -> int:
    """Runs that a search of `num_candidates` candidates over `num_preds` texts may score: DSPy's number, so
    that `auto` means the same.

    It counts the start on the validation set, a first look at every candidate, a number of trials on
    minibatches that grows with the logarithm of the candidates, and validations in between.
    """
    trials = int(max(4 * num_preds * log2(num_candidates), 1.5 * num_candidates))
    validations = 2 + (trials + 1) // full_eval_steps
    return validations * valset_size + 5 * num_candidates + trials * minibatch_size


def check_allowance(auto: str | None, max_full_evals: int | None, max_metric_calls: int | None) -> None:
    """Raise `CompileError` unless exactly one of the three ways to set a budget is used, and readable."""
    given = {"auto": auto, "max_full_evals": max_full_evals, "max_metric_calls": max_metric_calls}
    named = [f"{name}={value!r}" for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise CompileError(
            f"GEPA needs exactly one of auto, max_full_evals and max_metric_calls; given: "
            f"{', '.join(named) or 'none'}. auto='light' is a good start."
        )
    if auto is not None and auto not in CANDIDATES:
        raise CompileError(f"auto={auto!r} is none of {', '.join(map(repr, CANDIDATES))}.")


def allowance(
    auto: str | None,
    max_full_evals: int | None,
    max_metric_calls: int | None,
    *,
    texts: int,
    trainset: Sequence[Any],
    valset: Sequence[Any] | None,
) -> int:
    """Runs to score, by whichever way it was set; `texts` is how many components there are."""
    if auto is not None:
        return auto_budget(texts, CANDIDATES[auto], len(trainset if valset is None else valset))
    if max_full_evals is not None:
        return max_full_evals * (len(trainset) + len(valset or ()))
    return max_metric_calls or 0
