"""What is done otherwise where DSPy's names are installed is documented, each choice in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from telic.compat.dspy.choices import CHOICES
from telic.runtime.settings import DEFAULTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "from-dspy.md"


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_every_choice_is_another_than_telics_own_and_has_its_line(name: str) -> None:
    assert CHOICES[name] != DEFAULTS[name]
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert any(f"`{name}`" in line.rpartition("|")[0].rpartition("|")[2] for line in lines)
