"""Run a snippet as a program of its own, where warnings are errors."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap


def run_script(
    code: str, *arguments: str, timeout: float = 30, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter and wait for its end."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
        check=False,
    )
