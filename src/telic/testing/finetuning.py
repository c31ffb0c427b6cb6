"""The local server's finetuning interface: files, jobs and events as OpenAI has them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import web

_FILE_NAME = re.compile(r'filename="([^"]*)"')
_RUNNING = frozenset({"validating_files", "queued", "running"})


@dataclass
class Finetuning:
    """State and script of the interface; give it to `LocalServer(finetuning=…)`.

    Attributes:
        polls: looks at a job until it has ended.
        ends: how jobs end, in order of their start; after the last, all succeed.
        lose_answers: so many of the first answers to the beginning of a job are lost on their way: the job
            is there, and the client sees a broken connection.
        files: uploaded files by id: `filename`, `bytes`, and `content`.
        jobs: jobs by id, as the interface shows them.
    """

    polls: int = 2
    ends: Sequence[str] = ()
    lose_answers: int = 0
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, request: web.Request, content: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer."""
        path = request.path.removeprefix("/v1")
        if path == "/files":
            return (
                self._upload(content) if request.method == "POST" else (200, self._list(request, self.files))
            )
        if path == "/fine_tuning/jobs":
            return self._begin(content) if request.method == "POST" else (200, self._list(request, self.jobs))
        _, _, _, name, *action = path.split("/")
        job = self.jobs.get(name)
        if job is None:
            return 404, _error(f"Could not find fine tune: {name}", "fine_tune_not_found")
        if action == ["cancel"]:
            if job["status"] in _RUNNING:
                job["status"] = "cancelled"
        elif action == ["events"]:
            return 200, {"object": "list", "data": _events(job), "has_more": False}
        else:
            self._move(job)
        return 200, _shown(job)

    def rows(self, number: int = -1) -> list[dict[str, Any]]:
        """The rows of an uploaded file, the last by default."""
        content = list(self.files.values())[number]["content"]
        return [json.loads(line) for line in content.decode().splitlines()]

    def _upload(self, content: bytes) -> tuple[int, dict[str, Any]]:
        head, _, rest = content.partition(b'name="file"')
        named = _FILE_NAME.search(rest.split(b"\r\n", 1)[0].decode())
        body = rest.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        if b"fine-tune" not in head or named is None:
            return 400, _error("The form lacks a purpose or a file.", "invalid_form")
        for line in body.decode().splitlines():
            json.loads(line)
        name = f"file-{len(self.files) + 1}"
        row: dict[str, Any] = {"id": name, "object": "file", "purpose": "fine-tune", "filename": named[1]}
        self.files[name] = {**row, "bytes": len(body), "status": "processed", "content": body}
        return 200, _shown(self.files[name])

    def _begin(self, content: bytes) -> tuple[int, dict[str, Any]]:
        body = json.loads(content)
        for part in ("training_file", "validation_file"):
            if body.get(part) is not None and body[part] not in self.files:
                return 400, _error(f"invalid {part}: {body[part]}", "invalid_file")
        if "training_file" not in body or "model" not in body:
            return 400, _error("training_file and model are needed", "invalid_request")
        number = len(self.jobs)
        end = self.ends[number] if number < len(self.ends) else "succeeded"
        job: dict[str, Any] = {
            "id": f"ftjob-{number + 1}",
            "object": "fine_tuning.job",
            "status": "queued",
            "error": None,
        }
        job |= {"fine_tuned_model": None, "created_at": number, **body, "end": end, "looks": 0}
        self.jobs[str(job["id"])] = job
        return 200, _shown(job)

    def _move(self, job: dict[str, Any]) -> None:
        if job["status"] not in _RUNNING:
            return
        job["looks"] += 1
        if job["looks"] <= self.polls:
            job["status"] = "running"
            return
        job["status"] = job["end"]
        if job["end"] == "succeeded":
            job["fine_tuned_model"] = f"ft:{job['model']}:{job['id']}"
            job["trained_tokens"] = 1000
        elif job["end"] == "failed":
            job["error"] = {"code": "invalid_training_file", "message": "The training file is of no use."}

    @staticmethod
    def _list(request: web.Request, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
        newest = list(rows.values())[::-1]
        names = [row["id"] for row in newest]
        after = request.query.get("after")
        first = names.index(after) + 1 if after in names else 0
        last = first + int(request.query.get("limit", 20))
        shown = [_shown(row) for row in newest[first:last]]
        return {"object": "list", "data": shown, "has_more": last < len(newest)}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("content", "end", "looks")}


def _events(job: dict[str, Any]) -> list[dict[str, Any]]:
    step = job["looks"]
    told = {"step": step, "total_steps": 10, "train_loss": 1 / (1 + step)}
    return [{"message": f"Step {step}/10: training loss={told['train_loss']:.2f}", "data": told}]


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
