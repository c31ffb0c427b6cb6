"""Every public name of DSPy: there with a compatible signature, or saying clearly that it is still to come."""

from __future__ import annotations

import pytest

from tests.compat import manifest, target

pytestmark = pytest.mark.skipif(target.REAL, reason="is about telic")

STILL_TO_COME = {
    "optimizers": "AvatarOptimizer BetterTogether BootstrapFewShotWithOptuna COPRO Ensemble InferRules "
    "KNNFewShot MIPROv2 ReAnchor GRPO GroundedProposer bootstrap_trace_data Flex",
    "retrieval": "ColBERTv2 Embeddings EmbeddingsWithScores",
    "finetuning": "BootstrapFinetune Provider TrainingJob ReinforceJob LocalProvider",
    "services": "TypeSafe",
}
EXPECTED = {name for row in STILL_TO_COME.values() for name in row.split()}


def _owner(path: str) -> str:
    """The class or function a line is about."""
    return next((part for part in path.split(".") if part in EXPECTED), path)


@pytest.mark.parametrize("fact", manifest.facts(), ids=lambda fact: f"{fact.path}[{fact.what}]")
def test_name(fact: manifest.Fact) -> None:
    owner = _owner(fact.path)
    if owner in EXPECTED:
        path = fact.path[: fact.path.index(owner) + len(owner)]
        found = manifest.resolve(path)
        if type(found).__name__ == "Absent":
            with pytest.raises(NotImplementedError, match=owner):
                found()
            return
    assert manifest.problem(fact) is None
