"""Whether this process may ask real models: tests and continuous integration can forbid it."""

from __future__ import annotations

import os
from typing import Any

from telic.errors import LMConfigurationError

VARIABLE = "TELIC_FORBID_MODEL_CALLS"
"""Environment variable that forbids real calls from the start, if it is `1`."""

_HOME = ("//localhost:", "//0.0.0.0:", "//[::1]:")


class _Permission:
    """The switch of this process, and the servers that are no real models."""

    forbidden = os.environ.get(VARIABLE, "") == "1"
    doubles: tuple[str, ...] = ()


def forbid(forbidden: bool) -> bool:
    """Turn the switch; returns how it stood."""
    before, _Permission.forbidden = _Permission.forbidden, forbidden
    return before


def admit(url: str) -> None:
    """Say that the server at `url` is a test double, which may be asked."""
    _Permission.doubles = (*_Permission.doubles, _plain(url))


def dismiss(url: str) -> None:
    """Take `admit` back, once."""
    left = list(_Permission.doubles)
    if _plain(url) in left:
        left.remove(_plain(url))
    _Permission.doubles = tuple(left)


def check(engine: Any, model: str) -> None:
    """Refuse a call of one of telic's own engines where real calls are forbidden. An engine that a user
    wrote is let through: it is a double, or its writer's business.

    Raises:
        LMConfigurationError: real calls are forbidden, and this would be one.
    """
    if not _Permission.forbidden or not type(engine).__module__.startswith("telic."):
        return
    endpoint = str(engine.endpoint)
    if not _plain(endpoint).startswith(_Permission.doubles):
        raise LMConfigurationError(
            f"A call of {model} at {endpoint} was about to be made, and calls of real models are forbidden "
            f"here (telic.testing.forbid_model_calls, or {VARIABLE}=1). Use a telic.testing.DummyLM or "
            "LocalServer, or name the address in forbid_model_calls(allow=[…]).",
            model=model,
        )


def _plain(url: str) -> str:
    """Names of this machine made one; with an end, so that no port is the beginning of another."""
    for name in _HOME:
        url = url.replace(name, "//127.0.0.1:")
    return url.rstrip("/") + "/"
