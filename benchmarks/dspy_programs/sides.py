"""A program in a process of its own, on one of the two libraries, against the scripted server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.dspy_programs.replies import REPLIES, answering
from benchmarks.dspy_programs.structure import structures, texts
from telic.testing import LocalServer

PROGRAMS = Path(__file__).with_name("programs")
TELIC = (sys.executable, "-c", "from telic.cli import main; main()", "run", "--dspy")
"""The command that runs a DSPy script on telic; DSPy's is its interpreter."""
_SECONDS = 300


@dataclass(frozen=True)
class Run:
    """What a program asked, and what it printed."""

    requests: list[dict[str, Any]]
    output: list[str]

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"requests": self.requests, "output": self.output}


def names() -> list[str]:
    """All programs."""
    return sorted(path.stem for path in PROGRAMS.glob("*.py"))


def run(name: str, command: tuple[str, ...]) -> Run:
    """Run a program.

    Args:
        name: the program.
        command: what runs a script.

    Raises:
        RuntimeError: it ended with an error; its last lines are told.
    """
    path = PROGRAMS / f"{name}.py"
    with LocalServer(reply=answering(name)) as server, tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "LM_URL": server.url, "TELIC_HOME": home, "DSPY_CACHEDIR": home}
        done = subprocess.run(
            [*command, str(path)], env=environment, capture_output=True, text=True, timeout=_SECONDS
        )
        bodies = server.bodies
    if done.returncode:
        raise RuntimeError(f"'{name}' failed under {command[0]}:\n{done.stderr[-3000:]}")
    said = [*texts(path), *map(str, REPLIES[name])]
    return Run(structures(bodies, said), done.stdout.splitlines())
