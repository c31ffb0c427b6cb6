"""`forbid_model_calls`: the switch that keeps tests from asking real models."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from telic.lm import permission


class forbid_model_calls:
    """Forbid calls of real models, from here on or for a block: hosted ones, servers and embedded ones alike.

        telic.testing.forbid_model_calls()                 # until allow_model_calls(), say in conftest.py
        with telic.testing.forbid_model_calls(): ...       # for the block

    What may still answer: `DummyLM` and other LM classes of your own, a `LocalServer`, engines of your own,
    the record of earlier calls, and the servers at `allow`. In an environment with
    `TELIC_FORBID_MODEL_CALLS=1` every process starts forbidden. `telic.testing.reset` leaves the switch as it
    is.

    Args:
        allow: base URLs that may be asked.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._allowed = tuple(allow)
        for url in self._allowed:
            permission.admit(url)
        self._before = permission.forbid(True)

    def __enter__(self) -> forbid_model_calls:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        permission.forbid(self._before)
        for url in self._allowed:
            permission.dismiss(url)


def allow_model_calls() -> None:
    """Let real models be asked again, whatever forbade it."""
    permission.forbid(False)
