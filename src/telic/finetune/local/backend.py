"""The backend that trains causal models on this machine."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

from telic._lazy import require
from telic.errors import TelicError, TrainingError
from telic.finetune.backend import JobStatus, TrainedModel, TrainingForecast, TrainingSpec
from telic.finetune.data import Format
from telic.finetune.local.bases import Base, find_base
from telic.finetune.local.forecast import Load, Shape, forecast_of, load_of, shortage
from telic.finetune.local.job_folder import JobFolder
from telic.finetune.local.options import Options
from telic.finetune.local.precision import Machine, this_machine
from telic.finetune.local.tokens import Row, Tokens, check_lengths

_NEEDED = ("torch", "transformers", "peft", "safetensors", "gguf")


@dataclass(frozen=True, slots=True)
class _Prepared:
    base: Base
    options: Options
    rows: list[Row]
    validation: list[Row]


class LocalBackend:
    """Trains causal models on this machine, by LoRA or with all their weights; see `Options` for how.

    Each job runs in a process of its own, which goes on when this one ends, and whose memory is free again
    when it is done. Bases are named as `LM` names them (`local/smollm2-135m`, `local/<path>.gguf`), or are
    folders of transformers models (`local/<folder>`), or a hub's repositories (`hub/<name>`). The model comes
    as a LoRA that `LM(…, adapter=…)` puts on its base in this process.

    Needs the extra `finetune`.
    """

    name = "local"
    formats: frozenset[Format] = frozenset({"chat", "completion", "reinforce"})
    poll = 1.0

    def __init__(self) -> None:
        self._prepared: tuple[str, _Prepared] | None = None
        self._machines: dict[tuple[str, int], Machine] = {}

    def check(self, spec: TrainingSpec) -> None:
        """Find what would stop the training; see `Backend.check`.

        Raises:
            TrainingError: unknown format, option, base or family; no rows; no chat template; rows longer than
                the window; too little memory.
            ModelWeightsError: there is no such GGUF file.
            MissingExtraError: without the extra `finetune`.
        """
        load, shape, options, machine = self._sizes(spec)
        short = shortage(shape, load, options, machine)
        if short is not None:
            raise TrainingError(f"{spec.model}: {short}", model=spec.model)

    def forecast(self, spec: TrainingSpec) -> TrainingForecast:
        """Memory and time, from sizes and a measurement of this machine; see `forecast.py`."""
        load, shape, options, machine = self._sizes(spec)
        return forecast_of(shape, load, options, machine)

    def submit(self, spec: TrainingSpec) -> str:
        """Start the job of a spec, or find it; see `Backend.submit`."""
        prepared = self._prepare(spec)
        job = JobFolder.create(spec, prepared.options.to_json())
        status = job.status()
        begun = job.begun and not status.ended
        if begun or status.state == "succeeded":
            return job.model.name
        if status.state == "cancelled" or _failed_itself(job, status):
            shutil.rmtree(job.checkpoints, ignore_errors=True)
            (job.work / "cancel").unlink(missing_ok=True)
        job.start()
        return job.model.name

    def status(self, job: str) -> JobStatus:
        """How a job stands."""
        return JobFolder.find(job).status()

    def cancel(self, job: str) -> None:
        """Stop a job; what has ended stays as it is."""
        found = JobFolder.find(job)
        if not found.status().ended:
            found.stop()

    def result(self, job: str) -> TrainedModel:
        """The model that a job made."""
        found = JobFolder.find(job)
        status = found.status()
        if status.state != "succeeded":
            why = f": {status.error}" if status.error else ""
            raise TrainingError(f"The training job '{job}' has no model: it is {status.state}{why}.")
        told = json.loads((found.model / "provenance.json").read_text(encoding="utf-8"))
        return TrainedModel(told["called"]["model"], told["called"]["kwargs"], found.model, told)

    def _prepare(self, spec: TrainingSpec) -> _Prepared:
        """The base and the rows as tokens; raises what `check` does, but for memory."""
        if self._prepared is not None and self._prepared[0] == spec.key:
            return self._prepared[1]
        if spec.data.format not in self.formats:
            raise TrainingError(
                f"Causal models are trained on this machine on data of the formats "
                f"{', '.join(sorted(self.formats))}, not '{spec.data.format}'."
            )
        if not spec.data.rows:
            raise TrainingError("The training set is empty: there is nothing to learn.")
        options = Options.of(spec.options)
        for package in _NEEDED:
            require(package, extra="finetune", purpose="training on this machine")
        base = find_base(spec.model)
        prepared = _Prepared(base, options, *_rows(base, spec, options))
        self._prepared = (spec.key, prepared)
        return prepared

    def _sizes(self, spec: TrainingSpec) -> tuple[Load, Shape, Options, Machine]:
        """All that a forecast depends on."""
        prepared = self._prepare(spec)
        lengths, learnt = [len(row) for row in prepared.rows], [row.learnt for row in prepared.rows]
        load = load_of(lengths, learnt, prepared.options, [len(row) for row in prepared.validation])
        machine = self._machine(prepared.options)
        return load, Shape.of(prepared.base.config), prepared.options, machine

    def _machine(self, options: Options) -> Machine:
        wanted = (options.precision, options.threads)
        if wanted not in self._machines:
            self._machines[wanted] = this_machine(*wanted)
        return self._machines[wanted]


def _rows(base: Base, spec: TrainingSpec, options: Options) -> tuple[list[Row], list[Row]]:
    """Training and validation rows, none too long."""
    longest = min(filter(None, (options.max_length, base.window)), default=0)
    tokens = Tokens(base.folder)
    try:
        rows = tokens.rows(spec.data)
        validation = tokens.rows(spec.validation) if spec.validation is not None else []
    except TelicError as error:
        raise TrainingError(f"{spec.model}: {error}", model=spec.model) from error
    check_lengths(rows, longest, "training examples")
    check_lengths(validation, longest, "validation examples")
    return rows, validation


def _failed_itself(job: JobFolder, status: JobStatus) -> bool:
    """Whether the process said that it failed; one that was killed goes on instead."""
    from telic.finetune.local.progress import latest

    said = latest(job.work)
    return status.state == "failed" and said is not None and said.state == "failed"
