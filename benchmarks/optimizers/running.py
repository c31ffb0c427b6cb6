"""One measurement, seen from outside: a fresh server, a fresh process of one library, and an empty record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.framework.sides import ROOT, dspy_python
from benchmarks.optimizers import settings
from benchmarks.optimizers.cells import Cell
from benchmarks.optimizers.scripted import PROGRAM, knowledge
from benchmarks.optimizers.tasks import SIZES, TASKS
from benchmarks.served import ServedModel

_SECONDS = 4 * 3600
"""After which a side is ended: none should take as long."""
_NEEDED = {"optuna": "optuna==5.0.0", "gepa": "gepa==0.1.4"}
"""What DSPy's optimizers need beside DSPy, by what is imported; Optuna is what telic is tested with."""


@dataclass(frozen=True)
class Bench:
    """What all measurements have in common.

    Attributes:
        dspy: the interpreter that has DSPy.
        scripted: a scripted model answers.
        sizes: rows of each split.
        reflection: model that proposes; `local/…` is served here, others are asked where they are; the
            task's own where it is empty.
        threads: how many examples at once.
    """

    dspy: str
    scripted: bool = False
    sizes: Mapping[str, int] | None = None
    reflection: str = ""
    threads: int = settings.THREADS

    def limited(self, most: int | None) -> Bench:
        """The same with at most so many rows a split."""
        sizes = SIZES
        return replace(self, sizes={split: min(size, most or size) for split, size in sizes.items()})

    @staticmethod
    def optimizer(name: str, side: str) -> dict[str, Any]:
        """An optimizer as a side is told of it."""
        made = settings.OPTIMIZERS[name]
        told = {what: made[what] for what in ("class", "proposes")}
        return {**told, "parameters": settings.parameters(name, side)}

    def conditions(self, cell: Cell) -> dict[str, Any]:
        """Everything that a measurement depends on, but for the versions of the libraries."""
        task = TASKS[cell.task]
        return {
            "model": "scripted" if self.scripted else settings.MODEL,
            "sizes": dict(self.sizes or SIZES),
            "optimizer": self.optimizer(cell.optimizer, cell.side),
            "threads": self.threads,
            "max_tokens": task.max_tokens,
            "instructions": task.instructions,
            "reflection": {"model": self.reflection or "the same", "max_tokens": settings.REFLECTION_TOKENS},
        }


def equipped(python: str | None) -> str:
    """The interpreter given, or one of an environment of our own, with all that DSPy's optimizers need."""
    own = python is None
    found = python or dspy_python(ROOT / ".venv-bench")
    missing = [need for name, need in _NEEDED.items() if not _imports(found, name)]
    if missing and not own:
        raise RuntimeError(f"{found} lacks {', '.join(missing)}; DSPy's optimizers need it.")
    if missing:
        print(f"Installing {', '.join(missing)} beside DSPy …", flush=True)
        subprocess.run([found, "-m", "pip", "install", "--quiet", *missing], check=True)
    return found


def _imports(python: str, name: str) -> bool:
    return subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def measured(bench: Bench, cell: Cell, log: Path) -> dict[str, Any]:
    """Compile and evaluate.

    Args:
        bench: how.
        cell: what.
        log: gets what the library writes on its way.

    Returns:
        `scores` of the test rows, `unread`, `errors`; `refused` requests of both phases; `calls`, `seconds`,
        `cpu_seconds` (of the library's process and of the server), `server_cpu_seconds` of the compile;
        `test_calls`. Where the library's process ended with an error while it compiled, `failed` has the
        last line of it in place of scores.

    Raises:
        RuntimeError: a process ended before it began.
    """
    rows = TASKS[cell.task].rows(cell.repeat, bench.sizes or SIZES)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [stack.enter_context(_server(bench, cell, rows, folder))]
        job = _job(bench, cell, rows, servers[0].url)
        if bench.reflection.startswith("local/"):
            servers.append(stack.enter_context(ServedModel(bench.reflection)))
            job["proposing"]["api_base"] = servers[1].url
        for server in servers:
            _warm(server.url)
        with log.open("w", encoding="utf-8") as errors, _side(bench, cell, folder, errors) as process:
            phases = list(_phases(process, job, servers))
            killed = process.returncode == -signal.SIGKILL
        said = log.read_text(encoding="utf-8", errors="replace")
        if not phases:
            raise RuntimeError(f"{cell}: the process ended before it began:\n{said[-3000:]}")
        if phases[-1]["phase"] != "test":
            return {"failed": "killed: out of time, or of memory" if killed else _last_line(said)}
        return _summed({phase["phase"]: phase for phase in phases}, bench.reflection)


def _server(bench: Bench, cell: Cell, rows: Mapping[str, Any], folder: Path) -> ServedModel:
    if not bench.scripted:
        return ServedModel(settings.MODEL)
    file = folder / "knowledge.json"
    file.write_text(json.dumps(knowledge(TASKS[cell.task], rows)), encoding="utf-8")
    return ServedModel(program=(PROGRAM, "--knowledge", str(file)))


def _job(bench: Bench, cell: Cell, rows: Mapping[str, Any], url: str) -> dict[str, Any]:
    proposing: dict[str, Any] = {"temperature": 1.0, "max_tokens": settings.REFLECTION_TOKENS}
    if bench.reflection and not bench.reflection.startswith("local/"):
        proposing["model"] = bench.reflection
    else:
        proposing |= {"model": "openai/served", "api_base": url, "api_key": "none"}
    return {
        "task": cell.task,
        "optimizer": bench.optimizer(cell.optimizer, cell.side),
        "seed": cell.repeat,
        "threads": bench.threads,
        "rows": rows,
        "url": url,
        "max_tokens": TASKS[cell.task].max_tokens,
        "proposing": proposing,
    }


def _warm(url: str) -> None:
    """Have the model loaded, which neither side is to wait for."""
    body = {"model": "served", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=300) as answer:
        answer.read()


@contextmanager
def _side(bench: Bench, cell: Cell, folder: Path, errors: Any) -> Iterator[subprocess.Popen[str]]:
    python = bench.dspy if cell.side == "dspy" else sys.executable
    # The calculator is telic's, and needs nothing but the standard library.
    paths = [str(ROOT / "src"), str(ROOT)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    environment |= {"DSPY_CACHEDIR": str(folder / "record"), "TELIC_HOME": str(folder / "record")}
    process = subprocess.Popen(
        [python, "-m", f"benchmarks.optimizers.{cell.side}_side"],
        cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
    )  # fmt: skip
    limit = threading.Timer(_SECONDS, process.kill)
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        process.kill()  # it has ended by itself, unless this process was interrupted
        process.wait()


def _phases(
    process: subprocess.Popen[str], job: Mapping[str, Any], servers: Sequence[ServedModel]
) -> Iterator[dict[str, Any]]:
    """What the side says, each with what the servers spent on it."""
    assert process.stdin is not None
    assert process.stdout is not None
    before = _spent(servers)
    print(json.dumps(job), file=process.stdin, flush=True)
    for line in process.stdout:
        after = _spent(servers)
        yield {**json.loads(line), **{f"server_{what}": after[what] - before[what] for what in after}}
        before = after
        if not _go_on(process):
            break
    process.wait()


def _go_on(process: subprocess.Popen[str]) -> bool:
    assert process.stdin is not None
    try:
        print("{}", file=process.stdin, flush=True)
    except BrokenPipeError:  # it has ended
        return False
    return True


def _spent(servers: Sequence[ServedModel]) -> dict[str, float]:
    spent = [server.spent() for server in servers]
    return {what: sum(one[what] for one in spent) for what in ("calls", "unanswered", "cpu_seconds")}


def _last_line(log: str) -> str:
    return next((line for line in reversed(log.splitlines()) if line.strip()), "without a word")[:500]


def _summed(phases: Mapping[str, Mapping[str, Any]], reflection: str) -> dict[str, Any]:
    compiling, test = phases["compile"], phases["test"]
    elsewhere = bool(reflection) and not reflection.startswith("local/")
    return {
        "scores": test["scores"],
        "unread": test["unread"],
        "errors": test["errors"],
        "refused": compiling["server_unanswered"] + test["server_unanswered"],
        "calls": compiling["server_calls"] + (compiling["proposals"] if elsewhere else 0),
        "seconds": compiling["seconds"],
        "cpu_seconds": compiling["cpu_seconds"] + compiling["server_cpu_seconds"],
        "server_cpu_seconds": compiling["server_cpu_seconds"],
        "test_calls": test["server_calls"],
        "test_seconds": test["seconds"],
    }
