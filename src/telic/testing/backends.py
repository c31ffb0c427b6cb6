"""The contract of backends that train models: what every optimizer of weights relies on.

def test_my_backend(tmp_path):
    check_backend(lambda: MyBackend(folder=tmp_path), TrainingSpec("my/model", data))
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from telic._json import dumps
from telic.errors import TelicError, TrainingError
from telic.finetune.backend import Backend, JobStatus, TrainedModel, TrainingSpec
from telic.finetune.data import FORMATS, TrainingSet


@dataclass
class BackendCheck:
    """What `check_backend` saw.

    Attributes:
        trained: the model that the job made.
        seen: every state that was seen on the way, in order.
        cancelled: whether a job could be cancelled before it had ended.
    """

    trained: TrainedModel
    seen: list[JobStatus]
    cancelled: bool


def check_backend(
    make_backend: Callable[[], Backend],
    spec: TrainingSpec,
    *,
    within: float = 60.0,
    other: TrainingSpec | None = None,
) -> BackendCheck:
    """Check that a backend keeps to the contract of `telic.finetune.Backend`.

    Args:
        make_backend: makes the backend anew, as a process that begins would; all of them know the same jobs.
        spec: something that can be trained, the faster the better.
        within: seconds that a training may take.
        other: another spec, whose job is cancelled; by default the same with the first row left out.

    Raises:
        AssertionError: the contract is broken; says how.
    """
    backend = make_backend()
    assert backend.name, "a backend has a name"
    assert backend.formats <= set(FORMATS), "formats are among those that there are"
    _check_refusals(backend, spec)
    _check_forecast(backend, spec)
    job = backend.submit(spec)
    assert job == backend.submit(spec), "submitting an equal spec again must find the job"
    assert job == make_backend().submit(_again(spec)), "a new process must find the job of an equal spec"
    seen = _watched(make_backend(), job, within)
    assert seen[-1].state == "succeeded", f"the job ended as {seen[-1]}"
    trained = make_backend().result(job)
    _check_trained(spec, trained, make_backend().result(job))
    assert make_backend().submit(_again(spec)) == job, "what is trained must not be trained again"
    cancelled = _check_cancel(make_backend, other or _smaller(spec), within)
    _raises(lambda: make_backend().status(f"{job}-unheard-of"), "an unknown job")
    return BackendCheck(trained, seen, cancelled)


def _check_refusals(backend: Backend, spec: TrainingSpec) -> None:
    backend.check(spec)
    unknown = replace(spec, options={**spec.options, "no_such_option": 1})
    said = _raises(lambda: backend.check(unknown), "an unknown option")
    assert "no_such_option" in said, f"the refusal must name the option: {said}"
    _raises(lambda: backend.check(replace(spec, data=TrainingSet(spec.data.format, ()))), "an empty set")
    for format in set(FORMATS) - backend.formats:
        other = replace(spec, data=TrainingSet(format, spec.data.rows))  # type: ignore[arg-type]
        _raises(partial(backend.check, other), f"the format '{format}'")


def _check_forecast(backend: Backend, spec: TrainingSpec) -> None:
    forecast = backend.forecast(spec)
    assert forecast.tokens > 0, "a forecast tells how many tokens are trained on"
    assert forecast.memory_bytes >= 0
    assert forecast.seconds is None or forecast.seconds >= 0


def _watched(backend: Backend, job: str, within: float) -> list[JobStatus]:
    seen: list[JobStatus] = []
    until = time.monotonic() + within
    while not seen or not seen[-1].ended:
        assert time.monotonic() < until, f"the job {job} did not end within {within:g} s: {seen[-3:]}"
        status = backend.status(job)
        if not seen or status != seen[-1]:
            seen.append(status)
        time.sleep(0.01)
    steps = [status.step for status in seen if status.state == "running"]
    assert steps == sorted(steps), f"steps go forward: {steps}"
    return seen


def _check_trained(spec: TrainingSpec, trained: TrainedModel, again: TrainedModel) -> None:
    assert trained == again, "the result of a job stays the same"
    assert TrainedModel.from_json(trained.to_json()) == trained, "a trained model survives being JSON"
    dumps(trained.provenance)
    told = trained.provenance
    assert told.get("data") == spec.data.fingerprint, "provenance has the data's fingerprint under 'data'"
    assert told.get("base"), "provenance names the base"
    if trained.folder is not None:
        assert (trained.folder / "provenance.json").is_file(), "a model's folder has provenance.json"
        unsafe = [p.name for p in trained.folder.rglob("*") if p.suffix in (".pkl", ".pt", ".bin", ".pth")]
        assert not unsafe, f"weights are safetensors or GGUF, never pickles: {unsafe}"


def _check_cancel(make_backend: Callable[[], Backend], spec: TrainingSpec, within: float) -> bool:
    backend = make_backend()
    job = backend.submit(spec)
    backend.cancel(job)
    ended = _watched(make_backend(), job, within)[-1]
    assert ended.state in ("cancelled", "succeeded"), f"a cancelled job ended as {ended}"
    backend.cancel(job)
    assert backend.status(job).state == ended.state, "what has ended stays as it is"
    if ended.state == "cancelled":
        _raises(lambda: make_backend().result(job), "the result of a cancelled job")
        anew = make_backend().submit(_again(spec))
        assert _watched(make_backend(), anew, within)[-1].state == "succeeded", "it can be started anew"
    return ended.state == "cancelled"


def _raises(act: Callable[[], Any], what: str) -> str:
    try:
        act()
    except TrainingError as error:
        return str(error)
    except TelicError as error:
        raise AssertionError(
            f"{what} must raise TrainingError, not {type(error).__name__}: {error}"
        ) from error
    raise AssertionError(f"{what} must be refused, with a TrainingError")


def _again(spec: TrainingSpec) -> TrainingSpec:
    """An equal spec that shares no object with it."""
    validation = spec.validation and TrainingSet(spec.validation.format, spec.validation.rows)
    data = TrainingSet(spec.data.format, tuple(spec.data.rows), spec.data.about)
    return replace(spec, data=data, validation=validation, options=dict(spec.options))


def _smaller(spec: TrainingSpec) -> TrainingSpec:
    return replace(spec, data=TrainingSet(spec.data.format, spec.data.rows[1:], spec.data.about))
