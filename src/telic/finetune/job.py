"""Waiting for a job: submit or find it, ask now and then how it goes, and bring back the model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from telic.errors import LMError, TrainingError, is_retryable_lm_error
from telic.finetune.backend import Backend, JobStatus, TrainedModel, TrainingSpec
from telic.runtime import portal

_log = logging.getLogger("telic.finetune")

FIRST_PAUSE = 0.02
"""Seconds before a job is asked after for the second time; doubled up to the backend's `poll`."""

MOST_FAILED_POLLS = 20
"""Failures in a row to ask after a job, each after all its retries, until that is given up."""


def train(
    backend: Backend,
    spec: TrainingSpec,
    *,
    poll: float | None = None,
    on_status: Callable[[JobStatus], None] | None = None,
) -> TrainedModel:
    """Train, or go on with the training of an equal spec, and wait for the model.

    Killed while it waits, it finds the job when it is called again. The job itself is never cancelled here.

    Args:
        backend: who trains.
        spec: what.
        poll: longest seconds between two looks; by default the backend's own `poll`, else 1.
        on_status: told of each look.

    Raises:
        TrainingError: the spec cannot be trained, or the job failed or was cancelled.
    """
    backend.check(spec)
    job = backend.submit(spec)
    _log.info("%s: job %s trains %s on %d examples", backend.name, job, spec.model, len(spec.data))
    return wait_for(backend, job, poll=poll, on_status=on_status)


def wait_for(
    backend: Backend,
    job: str,
    *,
    poll: float | None = None,
    on_status: Callable[[JobStatus], None] | None = None,
) -> TrainedModel:
    """Wait for a job to end; see `train`."""
    longest = poll if poll is not None else float(getattr(backend, "poll", 1.0))
    pause = min(FIRST_PAUSE, longest)
    failed = 0
    while True:
        try:
            status = backend.status(job)
        except LMError as error:
            failed += 1
            # The training goes on whether it is asked after or not, and has been paid for.
            if not is_retryable_lm_error(error) or failed >= MOST_FAILED_POLLS:
                raise
            _log.warning("%s: job %s cannot be asked after (%s); it is tried again", backend.name, job, error)
        else:
            failed = 0
            if on_status is not None:
                on_status(status)
            if status.state == "succeeded":
                return backend.result(job)
            if status.ended:
                raise _unsuccessful(backend, job, status)
        portal.run(asyncio.sleep(pause))  # and not `time.sleep`, which Ctrl-C would have to wait out
        pause = min(2 * pause, longest)


def _unsuccessful(backend: Backend, job: str, status: JobStatus) -> TrainingError:
    if status.state == "cancelled":
        return TrainingError(
            f"The training was cancelled (job {job} of the backend '{backend.name}'). Run the same again to "
            "start it anew."
        )
    why = status.error or status.message or "the backend does not say why"
    return TrainingError(
        f"The training failed (job {job} of the backend '{backend.name}'): {why}. Mend the cause and run the "
        "same again; what came before the training is kept."
    )
