"""Instructions proposed by a model from the task and examples, and raced against the present ones.

After the proposals of MIPRO (Opsahl-Ong et al., 2024, arXiv:2406.11695), which are grounded in examples of
the task; here with what went wrong so far instead of summaries of program and data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from telic.optimize.auto.board import Board
from telic.optimize.auto.kinds import Wording
from telic.optimize.auto.screening import SECOND_LOOK
from telic.optimize.strategy import Ask, Asking, Evaluating
from telic.program.predict import Predict
from telic.signatures import InputField, OutputField, Signature

ANGLES = (
    "Say precisely what distinguishes one answer from another.",
    "Be brief: one or two plain sentences.",
    "Give the steps by which to come to the answer.",
    "Warn of the mistakes that are easily made.",
)
_SHOWN = 6
_LONGEST = 400
"""Characters of an example."""


class ProposeInstruction(Signature):
    """Write a better instruction for a language model that does the task below. It will see the instruction
    and one input at a time. Do not answer the examples; do not mention them.
    """

    instruction: str = InputField(desc="what the model is told now")
    fields: str = InputField(desc="what it is given, and what it must give")
    solved: list[str] = InputField(desc="examples it does well")
    unsolved: list[str] = InputField(desc="examples it gets wrong, with the right answer")
    advice: str = InputField(desc="how to write this one")
    new_instruction: str = OutputField(desc="the whole new instruction")


def propose(board: Board, label: str, count: int, model: Any) -> Asking[list[Wording]]:
    """Ask for `count` wordings of all instructions; those that could not be read are left out.

    Args:
        board: where candidates are kept.
        label: the candidate to improve on.
        count: how many, at most one for each angle.
        model: whom to ask; `None` for `settings.lm`.
    """
    state = board.states[label]
    asks = [
        Ask(
            Predict(ProposeInstruction),
            {**_told(board, label, path, predictor), "advice": ANGLES[number]},
            lm=model,
            rollout=number,
            like={"new_instruction": f"{state.instructions(path)} {ANGLES[number]}"},
            why="propose instructions",
        )
        for number in range(count)
        for path, predictor in board.problem.student.named_predictors()
    ]
    replies = yield asks
    board.purse.book_replies(replies)
    texts = [str((reply.value or {}).get("new_instruction") or "").strip() for reply in replies]
    paths = state.paths
    rows = [texts[at : at + len(paths)] for at in range(0, len(texts), len(paths))]
    return [tuple(zip(paths, row, strict=True)) for row in rows if all(row)]


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


def _told(board: Board, label: str, path: str, predictor: Any) -> dict[str, Any]:
    signature = predictor.signature
    scores = board.scores[label]
    solved = [e for e, score in scores.items() if score is not None and score > 0]
    unsolved = [e for e, score in scores.items() if not score]
    return {
        "instruction": board.states[label].instructions(path),
        "fields": f"{', '.join(signature.input_fields)} -> {', '.join(signature.output_fields)}",
        "solved": [_shown(board.problem.valset[e]) for e in solved[:_SHOWN]],
        "unsolved": [_shown(board.problem.valset[e]) for e in unsolved[:_SHOWN]],
    }


def _shown(example: Any) -> str:
    text = json.dumps(example.toDict(), ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
