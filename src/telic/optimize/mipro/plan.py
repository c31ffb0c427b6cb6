"""How much MIPROv2 tries: the presets, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Literal, TypeAlias, get_args

from telic.errors import CompileError

Auto: TypeAlias = Literal["light", "medium", "heavy"]

_PRESETS: dict[str, tuple[int, int]] = {"light": (6, 100), "medium": (12, 300), "heavy": (18, 1000)}
"""Candidates, and the most validation examples that are used."""
_SMALLEST_FOR_MINIBATCHES = 50
"""Up to so many validation examples, a preset evaluates on all of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried.

    Attributes:
        instructions: instructions for each predictor to choose from, the given one among them.
        demo_sets: sets of demos for each predictor to choose from, those given among them; 0 keeps the
            demos as they are.
        trials: combinations tried.
        minibatch: examples that a combination is tried on; `None` for all.
        full_every: trials between full evaluations, where there are minibatches.
    """

    instructions: int
    demo_sets: int
    trials: int
    minibatch: int | None
    full_every: int


def most_examples(auto: Auto | None) -> int | None:
    """How many validation examples a preset uses at most; `None` for no limit."""
    return None if auto is None else _PRESETS[auto][1]


def check_auto(auto: str | None) -> None:
    """See that a preset is one.

    Raises:
        CompileError: it is not.
    """
    if auto is not None and auto not in _PRESETS:
        raise CompileError(f"auto={auto!r} is none of {', '.join(map(repr, get_args(Auto)))} and None.")


def check_settings(auto: str | None, num_candidates: int | None, num_trials: int | None) -> None:
    """See that a preset is given or everything else is, and not both.

    Raises:
        CompileError: it is not so.
    """
    given = {"num_candidates": num_candidates, "num_trials": num_trials}
    if auto is not None:
        surplus = [name for name, value in given.items() if value is not None]
        if surplus:
            raise CompileError(
                f"auto={auto!r} decides {' and '.join(surplus)} by itself. Leave that out, or set auto=None."
            )
        return
    missing = [name for name, value in given.items() if value is None]
    if missing:
        hint = f" (about {recommended_trials(num_candidates, 2)})" if num_candidates else ""
        raise CompileError(f"With auto=None, MIPROv2 also needs {' and '.join(missing)}{hint}.")
    for name, value in given.items():
        if value is not None and value < 1:
            raise CompileError(f"{name}={value} must be at least 1.")


def recommended_trials(candidates: int, variables: int) -> int:
    """Trials that suit a search over so many variables with so many options each."""
    return int(max(2 * variables * log2(candidates), 1.5 * candidates)) if candidates > 1 else 1


def make_plan(
    *,
    auto: Auto | None,
    num_candidates: int | None,
    num_trials: int | None,
    predictors: int,
    zero_shot: bool,
    examples: int,
    minibatch: bool,
    minibatch_size: int,
    full_every: int,
) -> Plan:
    """Settle what is tried.

    Args:
        auto: a preset, or `None`.
        num_candidates: instructions and demo sets for each predictor, without a preset.
        num_trials: combinations tried, without a preset.
        predictors: how many the program has.
        zero_shot: instructions alone are chosen.
        examples: validation examples there are.
        minibatch: whether to try combinations on minibatches.
        minibatch_size: examples in one.
        full_every: trials between full evaluations.

    Raises:
        CompileError: a minibatch cannot be filled.
    """
    if auto is not None:
        candidates = _PRESETS[auto][0]
        instructions = candidates if zero_shot else candidates // 2
        trials = recommended_trials(candidates, predictors * (1 if zero_shot else 2))
        minibatch = minibatch and examples > _SMALLEST_FOR_MINIBATCHES
    else:
        # `check_settings` has seen to it that both are there.
        candidates = instructions = num_candidates or 1
        trials = num_trials or 1
    if minibatch and not 1 <= minibatch_size <= examples:
        raise CompileError(
            f"minibatch_size={minibatch_size} cannot be filled from {examples} validation examples. Give a "
            "smaller one, more examples, or minibatch=False."
        )
    if full_every < 1:
        raise CompileError(f"minibatch_full_eval_steps={full_every} must be at least 1.")
    sets = 0 if zero_shot else candidates
    return Plan(instructions, sets, trials, minibatch_size if minibatch else None, full_every)
