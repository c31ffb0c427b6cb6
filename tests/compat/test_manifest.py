"""Every public name of DSPy: there with a compatible signature, or saying clearly that it is still to come."""

from __future__ import annotations

import pytest

from tests.compat import manifest, target

pytestmark = pytest.mark.skipif(target.REAL, reason="is about telic")

STILL_TO_COME = {
    "optimizers": "AvatarOptimizer BetterTogether Ensemble "
    "KNNFewShot ReAnchor GroundedProposer bootstrap_trace_data Flex",
    "services": "TypeSafe",
}
EXPECTED = {name for row in STILL_TO_COME.values() for name in row.split()}


def owner(fact: manifest.Fact) -> str | None:
    """The name still to come that a line is about."""
    return next((part for part in fact.path.split(".") if part in EXPECTED), None)


@pytest.mark.parametrize("fact", manifest.facts(), ids=lambda fact: f"{fact.path}[{fact.what}]")
def test_name(fact: manifest.Fact) -> None:
    name = owner(fact)
    if name is not None:
        path = fact.path[: fact.path.index(name) + len(name)]
        found = manifest.resolve(path)
        if type(found).__name__ == "Absent":
            with pytest.raises(NotImplementedError, match=name):
                found()
            return
    assert manifest.problem(fact) is None
