"""A training job on disk: its files, whether its process lives, and how it is started and stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.backend import JobStatus, TrainingSpec
from telic.finetune.data import Format, TrainingSet
from telic.finetune.local.progress import FILE, Progress, latest
from telic.store.home import home

_STARTING = 180.0
"""Seconds in which a process must have said its first word."""

_ENVIRONMENT = {"GOMP_SPINCOUNT": "1000", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}
"""What the process finds set, unless it is set already. On a machine with other work, a thread that spins
while it waits takes the core from the one it waits for."""

_PATIENCE = 15.0
"""Seconds that a process gets to stop by itself."""


@dataclass(frozen=True)
class JobFolder:
    """A job. Its folder becomes the model's; what only the job needs lies in `job/` inside.

    Attributes:
        model: the folder.
    """

    model: Path

    @classmethod
    def create(cls, spec: TrainingSpec, options: Mapping[str, Any]) -> JobFolder:
        """The folder of a spec's job, with all that its process has to know."""
        name = spec.key[:24]
        job = cls((spec.folder or home() / "training").expanduser().absolute() / name)
        if not (job.work / "spec.json").is_file():
            spec.data.write(job.work / "data.jsonl")
            if spec.validation is not None:
                spec.validation.write(job.work / "validation.jsonl")
            told: dict[str, Any] = {
                "model": spec.model,
                "options": dict(options),
                "given": dict(spec.options),
            }
            told |= {"format": spec.data.format, "about": dict(spec.data.about)}
            told |= {"texts": _texts(spec.data), "validation_texts": _texts(spec.validation)}
            told |= {"start": None if spec.start is None else str(spec.start.absolute())}
            write_atomic(job.work / "spec.json", dumps(told, indent=1))
        write_atomic(_pointer(name), dumps({"folder": str(job.model)}))
        return job

    @classmethod
    def find(cls, name: str) -> JobFolder:
        """The folder of a job.

        Raises:
            TrainingError: there is no such job.
        """
        try:
            return cls(Path(json.loads(_pointer(name).read_text(encoding="utf-8"))["folder"]))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise TrainingError(f"There is no training job '{name}' on this machine.") from error

    @property
    def work(self) -> Path:
        """What only the job needs: its data, how it goes, its checkpoints."""
        return self.model / "job"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints to go on from, and the best weights so far."""
        return self.work / "checkpoints"

    def spec(self) -> tuple[TrainingSpec, dict[str, Any]]:
        """The spec that the job was made of, and all its options."""
        told = json.loads((self.work / "spec.json").read_text(encoding="utf-8"))
        data = _read(self.work / "data.jsonl", told["format"], told["texts"])
        held = self.work / "validation.jsonl"
        spec = TrainingSpec(
            told["model"],
            replace(data, about=told["about"]),
            _read(held, told["format"], told["validation_texts"]) if held.is_file() else None,
            told["given"],
            self.model.parent,
            Path(told["start"]) if told["start"] else None,
        )
        return spec, told["options"]

    @property
    def begun(self) -> bool:
        """Whether a process was ever started for it."""
        return (self.work / FILE).is_file()

    @property
    def alive(self) -> bool:
        """Whether a process is at it."""
        filelock = require("filelock", extra="finetune", purpose="training")
        try:
            with filelock.FileLock(str(self.work / "lock"), timeout=0):
                return False
        except filelock.Timeout:
            return True

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Be the job's process; gives False where another one is. The lock dies with its holder."""
        filelock = require("filelock", extra="finetune", purpose="training")
        try:
            # A look at `alive` holds the lock for a moment.
            with filelock.FileLock(str(self.work / "lock"), timeout=2):
                write_atomic(self.work / "pid", str(os.getpid()))
                yield True
        except filelock.Timeout:
            yield False

    def status(self) -> JobStatus:
        """How the job stands; one whose process is gone without a last word has failed."""
        found = latest(self.work)
        if found is None or found.ended:
            return found or JobStatus("queued")
        if self.alive:
            return found
        again = latest(self.work)
        if again is None or again.ended:
            return again or found
        written = (self.work / FILE).stat().st_mtime
        if again.state == "queued" and time.time() - written < _STARTING:
            return again
        return JobStatus("failed", again.step, again.steps, again.loss, error=self._last_words())

    def start(self) -> None:
        """Start a process that trains, and does not end with this one."""
        Progress(self.work).say("queued")
        environment = {**_ENVIRONMENT, **os.environ, "HF_HUB_OFFLINE": "1"}
        with (self.work / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "telic.finetune.local.worker", str(self.model)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        # Somebody has to take note of its end.
        threading.Thread(target=process.wait, name="telic-training", daemon=True).start()

    def stop(self) -> None:
        """End the process: at its next step, or by force; then the job is cancelled."""
        (self.work / "cancel").touch()
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._waits():
            time.sleep(0.05)
        if self.alive:
            self._signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        while self.alive:
            time.sleep(0.05)
        if not self.status().ended or self.status().state == "failed":
            Progress(self.work).say("cancelled")

    def _waits(self) -> bool:
        """Whether a process is at it, or may still come to life."""
        return self.alive or self.status().state == "queued"

    def _signal(self, number: int) -> None:
        try:
            os.kill(int((self.work / "pid").read_text(encoding="utf-8")), number)
        except (FileNotFoundError, ProcessLookupError):
            return  # it ended by itself

    def _last_words(self) -> str:
        try:
            said = (self.work / "log.txt").read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            said = ""
        last = said.splitlines()[-1] if said else "it said nothing"
        return (
            f"the training's process ended before its end, perhaps for want of memory ({last[:300]}). Submit "
            f"it again to go on from the last checkpoint; what it said is in {self.work / 'log.txt'}"
        )


def _texts(data: TrainingSet | None) -> list[int]:
    """Numbers of the rows whose prompt is plain text, which not every format tells."""
    return [] if data is None else [number for number, row in enumerate(data.rows) if row.from_text]


def _read(path: Path, format: Format, texts: Sequence[int]) -> TrainingSet:
    rows, plain = TrainingSet.read(path, format).rows, set(texts)
    marked = (replace(row, from_text=number in plain) for number, row in enumerate(rows))
    return TrainingSet(format, tuple(marked))


def _pointer(name: str) -> Path:
    return home() / "training" / "jobs" / f"{name}.json"
