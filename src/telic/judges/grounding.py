"""`CompleteAndGrounded`: is everything said that was expected, and is what is said in the sources."""

from __future__ import annotations

from typing import Any

from telic.data.prediction import Prediction
from telic.judges.semantic_f1 import f1_score
from telic.modules.chain_of_thought import ChainOfThought
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.signatures import InputField, OutputField, Signature


class AnswerCompleteness(Signature):
    """Judge how complete a response is. First list the key ideas of the expected response and of the
    system's, then discuss which are in both, then give the completeness.
    """

    question: str = InputField()
    ground_truth: str = InputField(desc="the expected response")
    system_response: str = InputField()
    ground_truth_key_ideas: str = OutputField(desc="the key ideas of the expected response, one by one")
    system_response_key_ideas: str = OutputField(desc="the key ideas of the system's response, one by one")
    discussion: str = OutputField(desc="which ideas are in both, and which in one only")
    completeness: float = OutputField(
        desc="share of the expected response that the system's covers, from 0.0 to 1.0"
    )


class AnswerGroundedness(Signature):
    """Judge whether a response is supported by the passages that were retrieved for it. First list the claims
    in it that are worth checking, then discuss which of them follow from the passages and common sense, then
    give the groundedness.
    """

    question: str = InputField()
    retrieved_context: str = InputField(desc="the passages")
    system_response: str = InputField()
    system_response_claims: str = OutputField(
        desc="claims of the response that are worth checking, one by one"
    )
    discussion: str = OutputField(desc="which claims the passages support")
    groundedness: float = OutputField(desc="share of the response that the passages support, from 0.0 to 1.0")


class CompleteAndGrounded(SteppedModule):
    """A metric: the harmonic mean of completeness and groundedness, as a model judges them.

    Examples have `question` and `response`, predictions `response` and `context`. It returns a prediction
    with a `score`, as `SemanticF1` does.

    Args:
        threshold: least score of a demonstration.
    """

    def __init__(self, threshold: float = 0.66) -> None:
        self.threshold = threshold
        self.completeness_module = ChainOfThought(AnswerCompleteness)
        self.groundedness_module = ChainOfThought(AnswerGroundedness)

    def steps(self, example: Any, pred: Any, trace: Any = None) -> Steps[Prediction]:
        """Judge one prediction."""
        complete = yield Call(
            self.completeness_module,
            question=example.question,
            ground_truth=example.response,
            system_response=pred.response,
        )
        grounded = yield Call(
            self.groundedness_module,
            question=example.question,
            retrieved_context=pred.context,
            system_response=pred.response,
        )
        score = f1_score(grounded.groundedness, complete.completeness)
        return Prediction(score=score if trace is None else score >= self.threshold)
