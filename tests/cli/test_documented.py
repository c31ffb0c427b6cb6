"""The commands and options that the pages show exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from telic.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def shown() -> list[str]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found += re.findall(r"^\$ telic ([^#\n>]+)", text, re.MULTILINE)
        found += re.findall(r"`telic ([a-z][^`]*)`", text)
    return sorted({line.strip() for line in found})


@pytest.mark.parametrize("line", shown())
def test_a_shown_command_exists(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"telic {line}"
        command = command.commands[words.pop(0)]
    options = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = [
        word for word in words if word.startswith("--") and word not in options | {"--help", "--debug"}
    ]
    assert not unknown, f"telic {line}"
