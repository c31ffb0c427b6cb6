"""DSPy's names are in place, and settings, caches and history fresh, for each test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat import target


@pytest.fixture(autouse=True)
def _as_dspy(_fresh_home: None) -> Iterator[None]:
    if target.REAL:
        target.fresh()
        yield
        return
    from telic.compat.dspy import install, uninstall

    install()
    target.fresh()
    yield
    uninstall()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What was logged, by DSPy or telic, as one text when called."""
    import logging

    for name in ("dspy", "telic"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    return lambda: caplog.text
