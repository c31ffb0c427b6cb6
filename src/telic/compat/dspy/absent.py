"""DSPy's names for what this version does not have yet: they can be imported, and say so when used."""

from __future__ import annotations

from typing import Any, NoReturn

from telic.errors import TelicError

_KINDS = {
    "an optimizer": (
        "ReAnchor SignatureOptimizer bootstrap_trace_data DspyAdapter MultiModalInstructionProposer"
    ),
    "a part of the optimizers that propose instructions": ("GroundedProposer Proposer Flex"),
    "a retriever": "ColBERTv2RetrieverLocal ColBERTv2RerankerLocal",
    "a client of a hosted service": "TypeSafe",
    "a data set that runs a game of its own": "AlfWorld",
}

ABSENT: dict[str, str] = {name: kind for kind, row in _KINDS.items() for name in row.split()}
"""DSPy's name to what it is."""


class NotInThisVersionError(TelicError, NotImplementedError):
    """Something of DSPy's was used that telic does not have yet."""


class Absent:
    """Stands for something that telic does not have yet. Any use of it raises `NotInThisVersionError`.

    Args:
        name: DSPy's name of it.
        kind: what it is.
    """

    def __init__(self, name: str, kind: Any, *rest: Any) -> None:
        if rest:  # `class Mine(dspy.GEPA)`: the metaclass of an object is its class, `kind` the bases
            kind[0]._refuse()
        self.__dict__["_absent"] = (name, kind)

    def _refuse(self) -> NoReturn:
        name, kind = self.__dict__["_absent"]
        raise NotInThisVersionError(
            f"{name} is not part of this version of telic yet: it is {kind}. What there is of DSPy, and what "
            "is still to come, is in docs/from-dspy.md."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Say that it is not there."""
        self._refuse()

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # asked for by tools that look at objects: copy, inspect, pickle
            raise AttributeError(name)
        self._refuse()

    def __instancecheck__(self, value: object) -> bool:
        return False

    def __subclasscheck__(self, value: type) -> bool:
        return False

    def __repr__(self) -> str:
        name, kind = self.__dict__["_absent"]
        return f"<dspy.{name}: {kind}, not part of this version of telic yet>"
