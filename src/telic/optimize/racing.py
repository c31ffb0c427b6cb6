"""Racing: candidates meet on growing, paired subsets of the validation examples, and those shown worse stop
early.

After Maron and Moore (1994), "Hoeffding races", with the paired test of F-Race (Birattari et al., 2002) in
place of Hoeffding's bound: on 50 examples only a paired test can tell. A candidate stops when the current
leader beats it on the same examples with a one-sided error of at most `alpha`, divided over the rungs.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from telic.evaluate.pairing import paired
from telic.optimize.problem import Problem
from telic.optimize.scores import mean
from telic.optimize.strategy import Ranked, Result, Trial
from telic.program.state import ProgramState

ALPHA = 0.1
"""Chance, over a whole race, of stopping one candidate that is in truth as good as the leader."""
_FIRST_RUNG = 12
_GROWTH = 2.0


def race(
    problem: Problem,
    candidates: Mapping[str, ProgramState],
    *,
    keep: Sequence[str] = (),
    racing: bool = True,
) -> Generator[Sequence[Trial], Sequence[Result], list[Ranked]]:
    """Evaluate labelled candidates on the validation examples; a part of strategies (`yield from race(…)`).

    Args:
        problem: what is compiled.
        candidates: label to state; equal states are evaluated once.
        keep: labels that always see every example, such as the start that the winner is compared with.
        racing: off, every candidate sees every example, as in the original papers.

    Returns:
        Every candidate, best first; among equals the earlier one.
    """
    order = list(problem.validation)
    problem.rng("race").shuffle(order)
    rungs = rung_sizes(len(order)) if racing and len(candidates) > 1 else [len(order)]
    known: dict[str, dict[int, float | None]] = {label: {} for label in candidates}
    alive = list(candidates)
    begin = 0
    for size in rungs:
        part = tuple(order[begin:size])
        trials = [Trial(candidates[label], part, why=f"{label}, {size} of {len(order)}") for label in alive]
        results = yield trials
        for label, result in zip(alive, results, strict=True):
            known[label].update({o.example: o.score for o in result.outcomes})
        begin = size
        if size < len(order):
            alive = _survivors(alive, known, keep, ALPHA / (len(rungs) - 1))
    ranked = [
        Ranked(candidates[label], label, scores, stopped=len(scores) < len(order))
        for label, scores in known.items()
    ]
    # Only those that saw everything can win; a stopped one was shown worse than one of them.
    return sorted(ranked, key=lambda r: (r.stopped, -r.mean))


def rung_sizes(total: int) -> list[int]:
    """How many examples have been seen after each rung: doubling from 12, the last one all of them."""
    sizes: list[int] = []
    size = float(_FIRST_RUNG)
    while size < 0.75 * total:
        sizes.append(round(size))
        size *= _GROWTH
    return [*sizes, total]


def _survivors(
    alive: list[str], known: Mapping[str, Mapping[int, float | None]], keep: Sequence[str], alpha: float
) -> list[str]:
    leader = max(alive, key=lambda label: mean(known[label].values()))
    return [label for label in alive if label in keep or not shown_worse(known[label], known[leader], alpha)]


def shown_worse(scores: Mapping[int, float | None], leader: Mapping[int, float | None], alpha: float) -> bool:
    """Whether the leader beats a candidate on the examples of the leader that both have seen.

    Args:
        scores: the candidate's, by example.
        leader: the leader's.
        alpha: one-sided error allowed.
    """
    if scores is leader:
        return False
    examples = list(leader)
    pairs = [(scores.get(e), leader[e]) for e in examples]
    if not any(a is not None and b is not None for a, b in pairs):
        return False
    comparison = paired([a for a, _ in pairs], [b for _, b in pairs])
    # `paired` is two-sided; which side is known here.
    return comparison.difference > 0 and comparison.p / 2 <= alpha
