"""Instructions written by a model, and seen against the present ones.

The proposals are those of MIPRO (Opsahl-Ong et al., 2024, arXiv:2406.11695), grounded in examples of the task
and in a tip; a summary of the data is spared, since the examples are few and at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from telic.optimize.auto.board import Board
from telic.optimize.auto.kinds import Wording
from telic.optimize.auto.screening import SECOND_LOOK
from telic.optimize.demos.sampling import labelled_demo, sample_examples
from telic.optimize.proposing.instructions import Ground, instruction_in, propose_instruction
from telic.optimize.proposing.program_view import program_text
from telic.optimize.proposing.tips import TIPS
from telic.optimize.strategy import Asking, Evaluating

MOST_WORDINGS = 4
_TIPS = ("short", "complete", "steps", "expert")
_SHOWN = 8


def propose(board: Board, label: str, count: int, model: Any) -> Asking[list[Wording]]:
    """Ask for `count` wordings of all instructions; those that could not be read are left out.

    Args:
        board: where candidates are kept.
        label: the candidate to improve on.
        count: how many, at most one for each tip.
        model: whom to ask; `None` for `settings.lm`.
    """
    problem, state = board.problem, board.states[label]
    shown = sample_examples(problem.trainset, _SHOWN, problem.rng("shown"), board.facts.label)
    examples = [labelled_demo(problem.trainset[at]) for at in shown]
    predictors = problem.student.named_predictors()
    program = program_text(problem.student) if len(predictors) > 1 else ""
    asks = [
        propose_instruction(
            Ground(
                step=f"{path}: {predictor.signature.typed_signature}",
                current=state.instructions(path),
                program=program,
                demos=examples,
                tip=TIPS[tip],
            ),
            lm=model,
            rollout=number,
            temperature=None,
            why="propose instructions",
        )
        for number, tip in enumerate(_TIPS[:count])
        for path, predictor in predictors
    ]
    replies = yield asks
    board.purse.book_replies(replies)
    texts = [instruction_in(reply.value) for reply in replies]
    rows = [texts[at : at + len(predictors)] for at in range(0, len(texts), len(predictors))]
    paths = [path for path, _ in predictors]
    return [tuple((p, t) for p, t in zip(paths, row, strict=True) if t) for row in rows if all(row)]


def try_wordings(board: Board, label: str, wordings: Sequence[Wording]) -> Evaluating[Wording]:
    """See wordings with the demos of a candidate; the best one, or nothing where none is better."""
    first = min(SECOND_LOOK, len(board.facts.order))
    drawn = board.draws[label]
    labels = [
        board.add(f"instructions {number}, {drawn.kind}", replace(drawn, wording=wording))
        for number, wording in enumerate(wordings, 1)
    ]
    yield from board.see([label, *labels], first)
    (best,) = board.best([label, *labels], 1, first)
    return board.draws[best].wording
