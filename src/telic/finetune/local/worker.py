"""The process that trains: `python -m telic.finetune.local.worker FOLDER`."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from telic.errors import TelicError
from telic.finetune.local.bases import find_base
from telic.finetune.local.causal import CausalTask
from telic.finetune.local.export_model import export, provenance, write_provenance
from telic.finetune.local.forecast import Shape, load_of, needs_checkpointing
from telic.finetune.local.job_folder import JobFolder
from telic.finetune.local.loop import Cancelled, fit
from telic.finetune.local.options import Options
from telic.finetune.local.precision import Machine, this_machine
from telic.finetune.local.progress import Progress
from telic.finetune.local.tokens import Tokens
from telic.finetune.serving import provenance_of


def main(folder: Path) -> int:
    """Train what `folder` describes, unless another process is at it."""
    job = JobFolder(folder)
    with job.held() as mine:
        if not mine:
            return 0
        progress = Progress(job.work)
        asked_to_end: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: asked_to_end.append(number))
        try:
            train(job, progress, asked_to_end)
        except Cancelled:
            if not (job.work / "cancel").exists():
                return 1  # the machine goes down: to go on later
            progress.say("cancelled")
        except (TelicError, OSError, RuntimeError, MemoryError) as error:
            progress.say("failed", error=f"{error}" or type(error).__name__)
            raise
    return 0


def train(job: JobFolder, progress: Progress, asked_to_end: list[int]) -> None:
    """Load, train, write the model, and say how it went."""
    progress.say("running", message="loading the base")
    began = time.monotonic()
    _quiet()
    spec, given = job.spec()
    options, base = Options.of(given), find_base(spec.model)
    tokens = Tokens(base.folder)
    rows = tokens.rows(spec.data)
    validation = tokens.rows(spec.validation) if spec.validation is not None else []
    machine = _machine(job, options)
    shape = Shape.of(base.config)
    load = load_of([len(row) for row in rows], [row.learnt for row in rows], options)
    task = CausalTask(
        base.folder,
        rows,
        validation,
        options,
        machine,
        tokens.pad,
        needs_checkpointing(shape, load, options, machine),
        spec.start,
    )
    rate = options.rate(shape.parameters)
    done = fit(
        task,
        options,
        rate,
        job.checkpoints,
        progress,
        lambda: bool(asked_to_end) or (job.work / "cancel").exists(),
    )
    progress.say("running", message="writing the model")
    text = all(row.from_text for row in spec.data.rows)
    trained = export(task, base, job.model, options, "completion" if text else "chat")
    own = provenance(base, done, rate, machine.precision, time.monotonic() - began)
    told = provenance_of("local", spec, **own, all_options=options.to_json())
    called = {"model": trained.model, "kwargs": dict(trained.kwargs)}
    write_provenance(job.model, {**told, "called": called})
    progress.say("succeeded", message=f"{job.model}")


def _machine(job: JobFolder, options: Options) -> Machine:
    """This machine, in the precision that the job was begun with: going on must not change it."""
    note = job.work / "precision"
    if note.is_file():
        return this_machine(note.read_text(encoding="utf-8"), options.threads)
    machine = this_machine(options.precision, options.threads)
    note.write_text(machine.precision, encoding="utf-8")
    return machine


def _quiet() -> None:
    """No bars and no advice in the log."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
