"""A summary of a data set by a model: what the examples have in common.

From MIPRO (Opsahl-Ong et al., 2024, arXiv:2406.11695, section 3.1). The batches are looked at independently
of each other, so that they can be looked at all at once, and their observations are then brought together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telic.lm.base import BaseLM
from telic.optimize.proposing.showing import clipped, example_text
from telic.optimize.strategy import Ask, Asking
from telic.program.predict import Predict
from telic.signatures import InputField, OutputField, Signature

_MOST_BATCHES = 4
_LONGEST = 1200
"""Characters of an observation or summary that are kept; a weak model may ramble."""
_LIKE = "Short questions on general knowledge, each answered in a few words. " * 2


class ObserveExamples(Signature):
    """Look at examples of a task. Write two or three sentences on what they have in common: the topic, the
    form of the inputs, the form of the outputs, and what is hard about them.
    """

    examples: list[str] = InputField()
    observations: str = OutputField()


class SummariseData(Signature):
    """Several people looked at parts of one data set. From what they saw, write two or three sentences that
    describe the data set and its task.
    """

    observations: list[str] = InputField()
    summary: str = OutputField()


def summarise_data(
    examples: Sequence[Any], *, batch: int, lm: BaseLM | None, notes: list[str]
) -> Asking[str]:
    """Have the examples looked at, and summarised; `""` where no reply could be read.

    Args:
        examples: in the order in which to look at them; at most 4 batches are looked at.
        batch: examples shown at once.
        lm: the model to ask; `None` for `settings.lm`.
        notes: what went wrong is added here.
    """
    rows = [example.toDict() for example in examples[: _MOST_BATCHES * batch]]
    parts = [rows[begin : begin + batch] for begin in range(0, len(rows), batch)]
    replies = yield [_observe(part, lm) for part in parts]
    seen = [_text(reply.value, "observations") for reply in replies]
    seen = [text for text in seen if text]
    if not seen:
        notes.append(f"The data could not be summarised: {replies[0].failure or 'the reply was empty'}")
    if len(seen) < 2:
        return "".join(seen)
    (reply,) = yield [_summarise(seen, lm)]
    # Where the summary cannot be read, an observation is the next best thing.
    return _text(reply.value, "summary") or seen[0]


def _observe(rows: Sequence[Any], lm: BaseLM | None) -> Ask:
    inputs = {"examples": [example_text(row) for row in rows]}
    return Ask(Predict(ObserveExamples), inputs, lm=lm, like={"observations": _LIKE}, why="look at the data")


def _summarise(seen: Sequence[str], lm: BaseLM | None) -> Ask:
    inputs = {"observations": list(seen)}
    return Ask(Predict(SummariseData), inputs, lm=lm, like={"summary": _LIKE}, why="summarise the data")


def _text(value: Any, name: str) -> str:
    return clipped(str((value or {}).get(name) or "").strip(), _LONGEST)
