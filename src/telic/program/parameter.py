"""What a compiler may change."""

from __future__ import annotations

from typing import Any


class Parameter:
    """A part of a program that can be learnt: it has a state to read and to set, and a way back to its
    beginning.
    """

    def dump_state(self, json_mode: bool = True) -> Any:
        """The state as JSON."""
        raise NotImplementedError

    def load_state(self, state: Any) -> Any:
        """Take a state that `dump_state` gave."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget what was learnt."""
        raise NotImplementedError
