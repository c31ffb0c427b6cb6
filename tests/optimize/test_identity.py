"""Parameters of optimizers as a run is named by them: the same in every process, changed by what matters."""

from __future__ import annotations

from typing import Any

import telic
from telic._json import dumps
from telic.optimize.fingerprint import parameter_identity
from tests.optimize.planted import exact, planted_lm


class Thing:
    def __init__(self, number: int) -> None:
        self.number = number


def identity(value: Any) -> str:
    text = dumps(parameter_identity(value))
    assert " at 0x" not in text
    return text


def test_equal_things_are_equal_and_different_ones_differ() -> None:
    pairs: list[tuple[Any, Any, Any]] = [
        (Thing(1), Thing(1), Thing(2)),
        ([planted_lm()], [planted_lm()], [planted_lm().copy(temperature=0.5)]),
        ({"a": (1, 2)}, {"a": [1, 2]}, {"a": [2, 1]}),
        ({"x", "y"}, {"y", "x"}, {"x"}),
        (
            {"p": telic.BootstrapRS(exact)},
            {"p": telic.BootstrapRS(exact)},
            {"p": telic.BootstrapRS(exact, seed=1)},
        ),
        (telic.Predict("a -> b"), telic.Predict("a -> b"), telic.Predict("a -> c")),
        (telic.Example(a=1), telic.Example(a=1), telic.Example(a=2)),
        (lambda x: x + 1, lambda x: x + 1, lambda x: x + 2),
    ]
    for one, same, other in pairs:
        assert identity(one) == identity(same)
        assert identity(one) != identity(other)


def test_what_refers_to_itself_ends() -> None:
    loop = Thing(1)
    loop.number = loop  # type: ignore[assignment]
    assert "Thing" in identity(loop)
