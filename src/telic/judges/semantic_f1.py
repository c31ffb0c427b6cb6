"""`SemanticF1`: how much of the expected answer is said, and how much of what is said was expected."""

from __future__ import annotations

from typing import Any

from telic.data.prediction import Prediction
from telic.modules.chain_of_thought import ChainOfThought
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.signatures import InputField, OutputField, Signature


class SemanticRecallPrecision(Signature):
    """Compare the response of a system with the expected one, by meaning and not by words. Say what ideas
    each of them has and which of those the other has too; then give recall and precision.
    """

    question: str = InputField()
    ground_truth: str = InputField(desc="the expected response")
    system_response: str = InputField()
    recall: float = OutputField(
        desc="share of the expected response that the system's covers, from 0.0 to 1.0"
    )
    precision: float = OutputField(
        desc="share of the system's response that the expected one covers, from 0.0 to 1.0"
    )


class DecompositionalSemanticRecallPrecision(Signature):
    """Compare the response of a system with the expected one, by meaning and not by words. First list the key
    ideas of each, then discuss which of them they share, then give recall and precision.
    """

    question: str = InputField()
    ground_truth: str = InputField(desc="the expected response")
    system_response: str = InputField()
    ground_truth_key_ideas: str = OutputField(desc="the key ideas of the expected response, one by one")
    system_response_key_ideas: str = OutputField(desc="the key ideas of the system's response, one by one")
    discussion: str = OutputField(desc="which ideas are in both, and which in one only")
    recall: float = OutputField(
        desc="share of the expected response that the system's covers, from 0.0 to 1.0"
    )
    precision: float = OutputField(
        desc="share of the system's response that the expected one covers, from 0.0 to 1.0"
    )


class SemanticF1(SteppedModule):
    """A metric: the F1 of a response against the expected one, as a model judges them.

    Examples have `question` and `response`, predictions `response`. It returns a prediction with a `score`:
    the F1, between 0 and 1; while demonstrations are bootstrapped (`trace` is given), whether it reaches the
    threshold.

    Args:
        threshold: least F1 of a demonstration.
        decompositional: list the key ideas first.
    """

    def __init__(self, threshold: float = 0.66, decompositional: bool = False) -> None:
        self.threshold = threshold
        self.module = ChainOfThought(
            DecompositionalSemanticRecallPrecision if decompositional else SemanticRecallPrecision
        )

    def steps(self, example: Any, pred: Any, trace: Any = None) -> Steps[Prediction]:
        """Judge one prediction."""
        judged = yield Call(
            self.module,
            question=example.question,
            ground_truth=example.response,
            system_response=pred.response,
        )
        score = f1_score(judged.precision, judged.recall)
        return Prediction(score=score if trace is None else score >= self.threshold)


def f1_score(precision: float, recall: float) -> float:
    """Harmonic mean; both are brought into [0, 1] first."""
    precision, recall = (min(1.0, max(0.0, value)) for value in (precision, recall))
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)
