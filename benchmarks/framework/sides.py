"""The processes that measure, each in the environment of its library, and the loopback server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.framework import stub

ROOT = Path(__file__).resolve().parents[2]
DSPY = "dspy==3.4.1"
IMPORTS = {
    "dspy": "import dspy",
    "telic": "import telic; telic.Predict, telic.LM, telic.Evaluate, telic.BootstrapFewShot",
}
"""What a program's first line costs; telic loads names at first use, so the usual ones are used."""


class Side:
    """A worker process of one library; a fresh one for each case, so that no state carries over."""

    def __init__(self, library: str, python: str, home: str) -> None:
        self.library = library
        environment = {**os.environ, "TELIC_HOME": f"{home}/telic", "DSPY_CACHEDIR": f"{home}/dspy"}
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.framework.worker", library],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def measure(self, case: str, n: int, options: dict[str, Any]) -> float:
        """Have the worker do a case once; seconds for all `n`, or MB."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"case": case, "n": n, "options": options}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the {self.library} worker ended during '{case}' (its errors are above)")
        return float(json.loads(answer))

    def close(self) -> None:
        """End the worker."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


class Server:
    """The loopback server in a process of its own, so that it takes no time from those it serves."""

    def __init__(self, python: str, latency_ms: int) -> None:
        command = [python, "-m", "telic.testing.server", "--port", "0", "--latency-ms", str(latency_ms)]
        command += ["--reply", stub.ANSWER]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def close(self) -> None:
        """Stop serving."""
        self._process.terminate()
        self._process.wait(timeout=60)


def import_seconds(python: str, library: str) -> float:
    """How long a fresh interpreter takes for some import statements."""
    program = (
        f"import time; start = time.perf_counter(); {IMPORTS[library]}; print(time.perf_counter() - start)"
    )
    done = subprocess.run(
        [python, "-c", program], capture_output=True, text=True, check=True, cwd=tempfile.gettempdir()
    )
    return float(done.stdout)


def dspy_python(folder: Path) -> str:
    """The interpreter of an environment that holds DSPy; made at first use."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Making {folder.name} with {DSPY} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    stamp = folder / DSPY
    if not stamp.exists():
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", DSPY], check=True)
        stamp.touch()
    return str(python)
