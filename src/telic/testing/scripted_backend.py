"""`ScriptedBackend`: trains in no time and without a model. What it trains is a table of prompts and answers,
served as a scripted LM; so optimizers of weights are tested, and shown, end to end.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from telic._json import dumps, stable_hash, write_atomic
from telic.errors import TrainingError
from telic.finetune.backend import JobStatus, TrainedModel, TrainingForecast, TrainingSpec
from telic.finetune.data import FORMATS, Format
from telic.finetune.serving import provenance_of
from telic.lm.base import BaseLM
from telic.runtime.rng import rng
from telic.runtime.steps import Do, Step
from telic.store.home import home
from telic.types import Choice, Request, Response, Usage

_WORD = re.compile(r"\w+")
_OPTIONS = frozenset({"epochs", "learning_rate", "batch_size", "seed", "lora", "clip", "kl"})


class ScriptedBackend:
    """A backend whose jobs are files in a folder, and whose models are tables.

    Args:
        folder: where jobs are kept; a backend of the same folder finds them again. By default under telic's
            home.
        polls: how often a job has to be looked at before it has ended.
        ends: how jobs end, one after the other in order of their start: `"succeeded"`, `"failed"` or
            `"cancelled"`; after the last, all succeed.

    Attributes:
        started: keys of the jobs that were started in this folder, in order, by whatever process.
    """

    name: ClassVar[str] = "scripted"
    formats: ClassVar[frozenset[Format]] = frozenset(FORMATS)  # type: ignore[arg-type]
    poll = 0.0

    def __init__(self, folder: str | Path | None = None, *, polls: int = 1, ends: Sequence[str] = ()) -> None:
        self.folder = Path(folder) if folder is not None else home() / "finetune" / "scripted"
        self.polls = polls
        self.ends = tuple(ends)

    def get_params(self) -> dict[str, Any]:
        """Nothing that an outcome depends on."""
        return {}

    @property
    def started(self) -> list[str]:
        """Keys of the jobs that were started, in order."""
        path = self.folder / "started.json"
        return list(json.loads(path.read_text())) if path.exists() else []

    def check(self, spec: TrainingSpec) -> None:
        """Refuse unknown options, and an empty set."""
        unknown = sorted(set(spec.options) - _OPTIONS)
        if unknown:
            raise TrainingError(f"The scripted backend does not know {unknown}; it knows {sorted(_OPTIONS)}.")
        if spec.data.format not in self.formats:
            raise TrainingError(f"The scripted backend does not train on '{spec.data.format}'.")
        if not spec.data.rows:
            raise TrainingError("The training set is empty.")

    def forecast(self, spec: TrainingSpec) -> TrainingForecast:
        """Words for tokens; a step each look."""
        tokens = sum(len(_WORD.findall(row.prompt_text + row.completion)) for row in spec.data)
        return TrainingForecast(0, 0.0, self.polls, tokens, 0.0)

    def submit(self, spec: TrainingSpec) -> str:
        """Write the job down, or find it."""
        job = spec.key[:16]
        known = self._read(job)
        if known is not None and known["end"] not in ("failed", "cancelled"):
            return job
        started = self.started
        end = self.ends[len(started)] if len(started) < len(self.ends) else "succeeded"
        write_atomic(self.folder / "started.json", dumps([*started, spec.key]))
        start = {} if spec.start is None else json.loads((spec.start / "table.json").read_text())
        row = {"end": end, "looks": 0, "table": _learnt(spec, start), "base": spec.model}
        self._write(job, {**row, "provenance": provenance_of(self.name, spec, licence="none")})
        return job

    def status(self, job: str) -> JobStatus:
        """A step further with each look."""
        row = self._known(job)
        if row["end"] == "cancelled":
            return JobStatus("cancelled", row["looks"], self.polls)
        if row["looks"] < self.polls:
            self._write(job, {**row, "looks": row["looks"] + 1})
            return JobStatus("running", row["looks"], self.polls, loss=1.0 / (1 + row["looks"]))
        error = "the script says so" if row["end"] == "failed" else None
        return JobStatus(row["end"], self.polls, self.polls, 0.0, 0.0, error)

    def cancel(self, job: str) -> None:
        """Stop a job that has not ended."""
        row = self._known(job)
        if row["looks"] < self.polls:
            self._write(job, {**row, "end": "cancelled"})

    def result(self, job: str) -> TrainedModel:
        """The table, in a folder of its own."""
        status = self.status(job)
        if status.state != "succeeded":
            raise TrainingError(f"Job {job} has made no model: it is {status.state}. {status.error or ''}")
        row, folder = self._known(job), self.folder / job
        write_atomic(folder / "table.json", dumps(row["table"]))
        write_atomic(folder / "provenance.json", dumps(row["provenance"]))
        name = f"scripted/{row['base'].rpartition('/')[2]}-{job[:8]}"
        kwargs = {"class": f"{ScriptedModel.__module__}.{ScriptedModel.__qualname__}", "table": str(folder)}
        return TrainedModel(name, kwargs, folder, row["provenance"])

    def _known(self, job: str) -> dict[str, Any]:
        row = self._read(job)
        if row is None:
            raise TrainingError(f"The scripted backend has no job '{job}' in {self.folder}.")
        return row

    def _read(self, job: str) -> dict[str, Any] | None:
        path = self.folder / f"{job}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def _write(self, job: str, row: Mapping[str, Any]) -> None:
        write_atomic(self.folder / f"{job}.json", dumps(row))


class ScriptedModel(BaseLM):
    """An LM that answers from a table: a prompt that it knows as it was taught, another one as the known
    prompt that has most words in common with it.

    Args:
        model: its name.
        table: folder with `table.json`: `{last message: {answer: weight}}`.
        trained: see `telic.LM`.
        **kwargs: as for `BaseLM`. Samples (by `rollout_id`) are drawn among all answers that the table has
            for any prompt.
    """

    recorded: ClassVar[bool] = True

    def __init__(self, model: str, *, table: str, trained: Any = None, **kwargs: Any) -> None:
        super().__init__(model, **kwargs)
        self.table = table
        self.trained = trained
        self._rows: dict[str, dict[str, float]] = json.loads((Path(table) / "table.json").read_text())
        self._words = {prompt: set(_WORD.findall(prompt.lower())) for prompt in self._rows}

    @property
    def endpoint(self) -> str:
        """Hash of the table."""
        return f"scripted:{stable_hash(self._rows)[:16]}"

    def asking(self, request: Request) -> Step:
        """Look the answer up."""
        return Do(lambda: self._answer(request), lambda: _done(self._answer(request)))

    def dump_state(self) -> dict[str, Any]:
        """With the table's folder."""
        return {**super().dump_state(), "table": self.table, "trained": self.trained}

    def _answer(self, request: Request) -> Response:
        asked = request.prompt if request.messages is None else str(request.messages[-1]["content"])
        weights = self._rows.get(str(asked)) or self._nearest(str(asked))
        liked = [text for text, weight in weights.items() if weight > 0] or list(weights)
        best = max(liked, key=lambda text: (weights[text], text), default="")
        if request.rollout_id is not None and liked:
            known = {text for row in self._rows.values() for text in row}
            best = rng(0, "sample", str(asked), request.rollout_id).choice(sorted(known))
        words = len(_WORD.findall(str(request.messages or request.prompt)))
        return Response((Choice(best),), Usage(words, len(best.split())), self.model, 0.0, 0.0)

    def _nearest(self, asked: str) -> dict[str, float]:
        words = set(_WORD.findall(asked.lower()))
        found = max(self._rows, key=lambda p: (len(words & self._words[p]), p), default=None)
        return {} if found is None else self._rows[found]


async def _done(response: Response) -> Response:
    return response


def _learnt(spec: TrainingSpec, start: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Answers by prompt, each as heavy as it was taught: once each, or by its advantage."""
    table = {prompt: Counter(weights) for prompt, weights in start.items()}
    for row in spec.data:
        prompt = str(row.prompt[-1]["content"])
        weights: Counter[str] = table.setdefault(prompt, Counter())
        weights[row.completion] += 1.0 if row.advantage is None else row.advantage  # type: ignore[assignment]
    return {prompt: dict(weights) for prompt, weights in table.items()}
