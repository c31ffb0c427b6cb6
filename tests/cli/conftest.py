"""The command line run in this process, as a person would type it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner


@pytest.fixture
def telic() -> Callable[..., Any]:
    """`telic("diff", a, b)` gives the result: `exit_code`, `stdout`, `stderr`."""
    from telic.cli.app import app

    def run(*words: str | Path | int) -> Any:
        return CliRunner().invoke(app, [str(word) for word in words])

    return run
