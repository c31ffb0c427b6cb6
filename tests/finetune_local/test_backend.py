"""The local backend keeps the contract of backends, survives kills, and refuses before it starts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from telic.errors import MissingExtraError, TrainingError
from telic.finetune.backend import JobStatus, TrainingSpec
from telic.finetune.data import TrainingExample, TrainingSet
from telic.finetune.export.to_gguf import folder_to_gguf
from telic.finetune.local import backend as module
from telic.finetune.local.backend import LocalBackend
from telic.finetune.local.job_folder import JobFolder
from telic.finetune.local.precision import Machine
from telic.finetune.local.progress import loss_curve
from telic.lm.model import LM
from telic.testing.backends import check_backend
from tests.finetune_local import tiny

LEARNT = {"epochs": 60, "learning_rate": 5e-3, "lora": 8, "precision": "fp32", "threads": 1}
QUICK = {**LEARNT, "epochs": 2, "lora": 4}
LONG = {**QUICK, "epochs": 4000, "save_every": 25, "patience": 0}


@pytest.fixture
def base(tmp_path: Path) -> str:
    """A tiny model in GGUF, by its name."""
    return f"local/{folder_to_gguf(tiny.llama(tmp_path / 'base'), tmp_path / 'base.gguf', kind='F16')}"


def spec(base: str, options: dict[str, Any] = QUICK, **more: Any) -> TrainingSpec:
    return TrainingSpec(base, more.pop("data", tiny.colours()), options=options, **more)


def until(done: Any, within: float = 90) -> Any:
    end = time.monotonic() + within
    while not (found := done()):
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)
    return found


def ended(backend: LocalBackend, job: str) -> JobStatus:
    return until(lambda: (status := backend.status(job)).ended and status)


@pytest.mark.slow
def test_it_keeps_the_contract_of_backends(base: str):
    seen = check_backend(LocalBackend, spec(base), within=120)
    assert "running" in [status.state for status in seen.seen]


def test_what_is_trained_can_be_asked_at_once(base: str, tmp_path: Path):
    data = tiny.colours()
    backend = LocalBackend()
    wanted = spec(base, LEARNT, data=data, validation=data, folder=tmp_path / "models")
    job = backend.submit(wanted)
    assert ended(backend, job).state == "succeeded", backend.status(job)
    trained = backend.result(job)
    assert trained.folder == tmp_path / "models" / job
    plain = LM(base, max_tokens=8)
    lm = LM(trained.model, max_tokens=8, **trained.kwargs)
    for row in data:
        assert lm(messages=[dict(turn) for turn in row.prompt]) == [row.completion]
    assert [plain(messages=[dict(turn) for turn in row.prompt]) for row in data] != [
        [row.completion] for row in data
    ]
    told = json.loads((trained.folder / "provenance.json").read_text())
    assert told["validation"]["before"]["exact"] < told["validation"]["after"]["exact"] == 1.0
    assert told["base"] == base
    assert told["data"] == data.fingerprint
    assert len(told["base_sha256"]) == 64
    assert told["all_options"]["batch_size"] == 8
    files = {path.name for path in trained.folder.iterdir()}
    assert {"adapter.gguf", "adapter_config.json", "adapter_model.safetensors", "provenance.json"} <= files
    assert loss_curve(trained.folder / "job")[-1][1] < 0.1
    plain.close()
    lm.close()


def test_all_weights_from_a_folder_and_on_from_there(tmp_path: Path):
    base = f"local/{tiny.llama(tmp_path / 'base')}"
    backend, data = LocalBackend(), tiny.continued()
    options = {**LEARNT, "lora": False, "learning_rate": 3e-3}
    first = backend.submit(spec(base, options, data=data))
    assert ended(backend, first).state == "succeeded", backend.status(first)
    trained = backend.result(first)
    assert (trained.folder / "model.gguf").is_file()
    lm = LM(trained.model, model_type="text", max_tokens=8, **trained.kwargs)
    assert lm.preferred_adapter == "completion"
    for row in data:
        assert lm(row.prompt_text) == [row.completion]
    lm.close()
    # Going on from there begins where it ended.
    again = spec(base, {**options, "epochs": 1}, data=data, validation=data, start=trained.folder)
    second = backend.submit(again)
    assert second != first
    assert ended(backend, second).state == "succeeded", backend.status(second)
    assert backend.result(second).provenance["validation"]["before"]["loss"] < 0.1


def test_a_lora_on_a_folder_comes_with_a_base_to_serve_it_on_and_merged(tmp_path: Path):
    base = f"local/{tiny.llama(tmp_path / 'base')}"
    backend, data = LocalBackend(), tiny.colours()
    job = backend.submit(spec(base, {**LEARNT, "merge": "Q8_0"}, data=data))
    assert ended(backend, job).state == "succeeded", backend.status(job)
    trained = backend.result(job)
    put_on = LM(trained.model, max_tokens=8, **trained.kwargs)
    merged = LM(f"local/{trained.folder}/model.gguf", max_tokens=8)
    for row in data:
        for lm in (put_on, merged):
            assert lm(messages=[dict(turn) for turn in row.prompt]) == [row.completion]
    put_on.close()
    merged.close()
    on = spec(base, QUICK, data=data, start=trained.folder)
    second = backend.submit(on)
    assert ended(backend, second).state == "succeeded", backend.status(second)


def test_killed_it_goes_on_to_the_same_weights(base: str, tmp_path: Path):
    options = {**QUICK, "epochs": 60, "save_every": 10, "patience": 0}
    backend = LocalBackend()
    job = backend.submit(spec(base, options, folder=tmp_path / "whole"))
    assert ended(backend, job).state == "succeeded"
    whole = backend.result(job)

    shutil.rmtree(Path(os.environ["TELIC_HOME"]) / "training")
    killed = spec(base, options, folder=tmp_path / "killed")
    assert backend.submit(killed) == job
    folder = JobFolder.find(job)
    until(lambda: list(folder.checkpoints.glob("step-*")))
    os.kill(int((folder.work / "pid").read_text()), signal.SIGKILL)
    status = ended(backend, job)
    assert status.state == "failed"
    assert "Submit it again" in str(status.error)
    with pytest.raises(TrainingError, match="has no model: it is failed"):
        backend.result(job)
    assert LocalBackend().submit(killed) == job
    assert ended(backend, job).state == "succeeded"
    done = backend.result(job)
    name = "adapter_model.safetensors"
    assert (done.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert loss_curve(done.folder / "job") == loss_curve(whole.folder / "job")


def test_a_job_is_read_as_it_was_given(tmp_path: Path):
    text = TrainingExample(({"role": "user", "content": "a"},), "b", advantage=0.5, from_text=True)
    chat = TrainingExample(({"role": "user", "content": "c"},), "d", advantage=-0.5)
    data = TrainingSet("reinforce", (text, chat, text), {"what": "both"})
    given = TrainingSpec(
        "local/x", data, TrainingSet("reinforce", data.rows), {"epochs": 2}, tmp_path, tmp_path / "start"
    )
    read, options = JobFolder.create(given, {"epochs": 2, "lora": 16}).spec()
    assert read == given
    assert options == {"epochs": 2, "lora": 16}


def test_a_running_job_is_cancelled_and_its_memory_given_back(base: str):
    backend = LocalBackend()
    job = backend.submit(spec(base, LONG))
    until(lambda: backend.status(job).step > 3)
    assert backend.status(job).seconds_left
    pid = int((JobFolder.find(job).work / "pid").read_text())
    assert "telic" not in {
        name.partition(".")[0] for name in sys.modules if name == "telic.finetune.local.worker"
    }
    backend.cancel(job)
    assert backend.status(job).state == "cancelled"
    with pytest.raises(ProcessLookupError):
        until(lambda: os.kill(pid, 0))
    backend.cancel(job)
    assert backend.status(job).state == "cancelled"


def test_a_training_that_fails_says_why(base: str):
    backend = LocalBackend()
    job = backend.submit(spec(base, {**QUICK, "learning_rate": 1e30, "clip": 0.0, "epochs": 20}))
    status = ended(backend, job)
    assert status.state == "failed"
    assert "lower learning_rate" in str(status.error)


def test_what_cannot_be_trained_is_refused_before(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    backend = LocalBackend()
    refused = [
        (spec(base, {"layers": 3}), "no option 'layers'"),
        (spec(base, data=TrainingSet("chat", ())), "is empty"),
        (spec(base, data=TrainingSet("seq2seq", tiny.colours().rows)), "not 'seq2seq'"),
        (spec(base, {**QUICK, "max_length": 10}), r"longer than the 10 tokens.*0 \("),
        (spec(f"local/{tmp_path}"), "is not the folder of a model: it has no config.json"),
    ]
    for wrong, why in refused:
        with pytest.raises(TrainingError, match=why):
            backend.check(wrong)
    long = TrainingExample.of_text("cat " * 400, "mat")
    with pytest.raises(TrainingError, match="longer than the 256 tokens"):
        backend.check(spec(base, data=TrainingSet("completion", (long,))))
    bare = f"local/{folder_to_gguf(tiny.llama(tmp_path / 'bare', template=None), tmp_path / 'bare.gguf')}"
    with pytest.raises(TrainingError, match=r"bare.gguf: The model has no chat template"):
        backend.check(spec(bare))
    with pytest.raises(TrainingError, match="no training job 'nothing'"):
        backend.status("nothing")
    assert not (Path(os.environ["TELIC_HOME"]) / "training").exists()


def test_too_little_memory_is_refused_with_what_to_do(base: str, monkeypatch: pytest.MonkeyPatch):
    backend = LocalBackend()
    backend.check(spec(base))
    monkeypatch.setattr(module, "this_machine", lambda *_: Machine("cpu", "fp32", 1e10, 500_000_000))
    with pytest.raises(TrainingError, match=r"0\.5 GB free, but the training needs about 0\.7 GB.*lora=16"):
        LocalBackend().check(spec(base, {**QUICK, "lora": False}))


def test_without_torch_it_says_how_to_install_it(base: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"telic\[finetune\]"):
        LocalBackend().check(spec(base))


def test_a_forecast_tells_steps_and_tokens(base: str):
    backend = LocalBackend()
    forecast = backend.forecast(spec(base))
    assert forecast.steps == 4
    assert forecast.memory_bytes > 500_000_000
    assert forecast.seconds is not None
    assert "fp32 on cpu" in forecast.notes[0]
    rows = backend._prepare(spec(base)).rows
    assert 2 * sum(map(len, rows)) <= forecast.tokens <= 2.5 * sum(map(len, rows))
