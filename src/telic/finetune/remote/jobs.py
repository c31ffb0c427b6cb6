"""Files and jobs at a server: found before they are made, so that none is made twice."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telic._json import dumps, stable_hash, write_atomic
from telic.errors import LMError, is_retryable_lm_error, redact
from telic.finetune.backend import JobStatus, State
from telic.finetune.data import TrainingSet
from telic.finetune.remote.api import Api

LOST = frozenset({"failed", "cancelled"})
"""What the server says of jobs that will make no model."""

_STATES: Mapping[str, State] = {
    "validating_files": "queued",
    "queued": "queued",
    "paused": "queued",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
_BAD_FILE = frozenset({"error", "deleted"})
_MOST_TRIES = 6
_STEP = re.compile(r"(?i)step\s+(\d+)\s*(?:/|of)\s*(\d+)")
_LOSS = re.compile(r"(?i)training loss\s*[=:]\s*([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Note:
    """What this machine knows of a spec's files and job: a small file, so that nothing has to be searched
    for.
    """

    path: Path

    @classmethod
    def of(cls, folder: Path, endpoint: str, key: str) -> Note:
        """The note of a spec at an address."""
        return cls(folder / f"{stable_hash(endpoint)[:8]}-{key}.json")

    @staticmethod
    def of_job(folder: Path, job: str) -> dict[str, Any]:
        """The provenance noted with a job; empty where another machine began it."""
        for path in sorted(folder.glob("*.json")):
            row = Note(path).read()
            if row.get("job") == job:
                return dict(row.get("provenance") or {})
        return {}

    def read(self) -> dict[str, Any]:
        """Everything noted; a damaged note is as good as none, since the server knows better."""
        try:
            row = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return row if isinstance(row, dict) else {}

    def write(self, **more: Any) -> None:
        """Add to it; on disk when this returns."""
        write_atomic(self.path, dumps({**self.read(), **more}, indent=2) + "\n")


def file_id(api: Api, data: TrainingSet, name: str, note: Note) -> str:
    """The id of a file of training data: of one that has arrived before, else of one uploaded now.

    An upload that was cut leaves no file of the right size, so it is not mistaken for one.
    """
    content = data.to_jsonl().encode()
    for row in api.files():
        same = row.get("filename") == name and row.get("bytes") in (None, len(content))
        if same and row.get("status") not in _BAD_FILE:
            return str(row["id"])
    return str(api.upload(name, content)["id"])


def begun(api: Api, body: Mapping[str, Any]) -> str:
    """The id of the job of a training file: of one that is there and not lost, else of one begun now.

    Whether a failure came before the job was made or after, cannot be seen from here; so it is looked up
    before each try.

    Raises:
        LMError: of the last try.
    """
    for number in range(_MOST_TRIES):
        found = _job_of(api, str(body["training_file"]))
        if found is not None:
            return found
        try:
            return str(api.create(body)["id"])
        except LMError as error:
            if not is_retryable_lm_error(error) or number + 1 == _MOST_TRIES:
                raise
            time.sleep(max(error.retry_after or 0.0, api.engine.backoff * number))
    raise AssertionError("the last try raises")


def status_of(row: Mapping[str, Any], events: Sequence[Mapping[str, Any]] = ()) -> JobStatus:
    """A job's row, and what it reported last, as a status."""
    state = _STATES.get(str(row.get("status")), "running")
    error = row.get("error")
    said = error.get("message") if isinstance(error, Mapping) else None
    failed = redact(str(said)) if said and state == "failed" else None
    step, steps, loss = 0, 0, None
    message = str(events[0].get("message") or "") if events else ""
    for event in events:
        data = event.get("data") or {}
        told = str(event.get("message") or "")
        numbers = _STEP.search(told)
        step = int(data.get("step") or (numbers[1] if numbers else 0))
        if step:
            steps = int(data.get("total_steps") or (numbers[2] if numbers else 0))
            lost = data.get("train_loss") or ((found := _LOSS.search(told)) and found[1])
            loss = float(lost) if lost else None
            break
    return JobStatus(state, step, steps, loss, None, failed, redact(message))


def _job_of(api: Api, file: str) -> str | None:
    for row in api.jobs():
        if row.get("training_file") == file and row.get("status") not in LOST:
            return str(row["id"])
    return None
