"""Backends keep their contract: the scripted one, and the remote one at a server that fails on demand."""

from __future__ import annotations

import logging
import threading
import time
from asyncio import CancelledError
from dataclasses import replace

import pytest

import telic
from telic.errors import LMAuthError, LMServerError, TrainingError
from telic.finetune import TrainingExample, TrainingSet, TrainingSpec
from telic.finetune.choosing import backend_for
from telic.finetune.job import train, wait_for
from telic.finetune.remote.backend import RemoteBackend
from telic.finetune.serving import trained_lm
from telic.runtime.cancel import Cancellation, current
from telic.testing import Faults, Finetuning, LocalServer, ScriptedBackend, check_backend

KEY = "sk-secret-0123456789"


def rows(count=12):
    chats = [({"role": "user", "content": f"What is {n}+{n}?"},) for n in range(count)]
    return TrainingSet("chat", tuple(TrainingExample(c, str(2 * n)) for n, c in enumerate(chats)))


SPEC = TrainingSpec("openai/small", rows(), options={"epochs": 2})


def remote(server, folder, **more):
    return RemoteBackend(server.url, KEY, folder=folder, poll=0.01, backoff=0.001, **more)


def served(faults=None, **script):
    return LocalServer(faults=faults or Faults(), finetuning=Finetuning(**script), api_key=KEY)


def test_the_scripted_backend(tmp_path):
    seen = check_backend(lambda: ScriptedBackend(tmp_path), SPEC)
    assert seen.cancelled
    assert len(ScriptedBackend(tmp_path).started) == 3  # one trained, one cancelled and started anew
    lm = trained_lm(seen.trained, telic.LM("openai/small", api_base="http://localhost:1/v1"))
    assert lm("What is 4+4?") == ["8"]
    assert lm.trained["base"] == "openai/small"


def test_the_remote_backend(tmp_path):
    with served(polls=8) as server:
        seen = check_backend(lambda: remote(server, tmp_path), SPEC)
        assert seen.cancelled
        assert seen.trained.model == "openai/ft:small:ftjob-1"
        assert [job["training_file"] for job in server.finetuning.jobs.values()] == [
            "file-1",
            "file-2",
            "file-2",
        ]
        assert server.finetuning.jobs["ftjob-1"]["hyperparameters"] == {"n_epochs": 2}
        assert server.finetuning.rows(0)[3]["messages"][1] == {"role": "assistant", "content": "6"}
        assert any(status.loss is not None and status.steps == 10 for status in seen.seen)


def test_it_keeps_the_contract_while_requests_fail(tmp_path):
    faults = Faults(0.3, (429, 500, 503, "reset", "truncate", "malformed"), retry_after=0.001)
    with served(faults, lose_answers=2) as server:
        check_backend(lambda: remote(server, tmp_path, num_retries=8), SPEC)
        assert len(server.finetuning.files) == 2
        assert len(server.finetuning.jobs) == 3, "a job whose answer was lost was begun twice"


def test_a_job_is_found_on_another_machine(tmp_path):
    with served() as server:
        job = remote(server, tmp_path / "here").submit(SPEC)
        assert remote(server, tmp_path / "there").submit(SPEC) == job
        assert len(server.finetuning.files) == len(server.finetuning.jobs) == 1


@pytest.mark.parametrize("fault", ["reset", "truncate", 503])
def test_an_upload_that_was_cut_is_made_again(tmp_path, fault):
    # The list of files is asked for first; then comes the upload.
    with served(Faults(plan=[None, fault])) as server:
        remote(server, tmp_path).submit(SPEC)
        assert len(server.finetuning.files) == len(server.finetuning.jobs) == 1


def test_a_failed_job_says_why_and_can_be_tried_again(tmp_path):
    with served(ends=["failed", "cancelled"]) as server:
        with pytest.raises(TrainingError, match=r"ftjob-1.*The training file is of no use"):
            train(remote(server, tmp_path), SPEC)
        with pytest.raises(TrainingError, match="cancelled"):
            train(remote(server, tmp_path), SPEC)
        trained = train(remote(server, tmp_path), SPEC)
        assert trained.provenance["job"] == "openai:ftjob-3"
        assert trained.provenance["examples"] == 12
        assert len(server.finetuning.files) == 1


def test_waiting_survives_failures_to_ask_after_the_job(tmp_path):
    with served(polls=3) as server:
        backend = remote(server, tmp_path, num_retries=0)
        job = backend.submit(SPEC)
        server.faults = Faults(0.5, (429, 500, "reset"), seed=3)
        assert wait_for(backend, job).model == "openai/ft:small:ftjob-1"


def test_no_key_in_errors_logs_and_notes(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    other = LocalServer(finetuning=Finetuning(), api_key="another")
    with other as server, pytest.raises(LMAuthError) as refused:
        remote(server, tmp_path).submit(SPEC)
    with served(Faults(1.0, (500,))) as server, pytest.raises(LMServerError) as failed:
        remote(server, tmp_path, num_retries=1).submit(SPEC)
    told = f"{refused.value!r} {failed.value} {caplog.text}"
    told += "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in told
    assert "secret" not in told


def test_what_can_be_known_before_is_said_before(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(TrainingError, match="OPENAI_API_KEY"):
        RemoteBackend(folder=tmp_path).check(SPEC)
    with pytest.raises(TrainingError, match="10 examples"):
        RemoteBackend(api_key=KEY).check(replace(SPEC, data=rows(3)))
    long = TrainingSet(
        "chat", (*rows().rows, TrainingExample(({"role": "user", "content": "x" * 300_000},), "y"))
    )
    with pytest.raises(TrainingError, match=r"example 12 .*65,536"):
        RemoteBackend(api_key=KEY).check(replace(SPEC, data=long))
    with pytest.raises(TrainingError, match="learning_rate_multiplier"):
        RemoteBackend(api_key=KEY).check(replace(SPEC, options={"learning_rate": 1e-4}))
    with pytest.raises(TrainingError, match="ChatAdapter"):
        RemoteBackend(api_key=KEY).check(replace(SPEC, data=TrainingSet("completion", rows().rows)))


def test_money_is_forecast_where_the_price_is_known():
    forecast = RemoteBackend(api_key=KEY, usd_per_million=3.0).forecast(SPEC)
    assert forecast.usd == pytest.approx(forecast.tokens * 3e-6)
    unknown = RemoteBackend(api_key=KEY).forecast(replace(SPEC, options={}))
    assert unknown.usd is None
    assert len(unknown.notes) == 2


def test_the_backend_is_chosen_by_the_provider(tmp_path):
    lm = telic.LM("openai/small", api_base="http://localhost:1/v1", api_key=KEY)
    assert isinstance(backend_for(lm), RemoteBackend)
    mine = ScriptedBackend(tmp_path)
    assert backend_for(lm, mine) is mine
    with pytest.raises(TrainingError, match="no training backend 'clever'"):
        backend_for(lm, "clever")
    with pytest.raises(TrainingError, match="does not speak"):
        backend_for(telic.LM("anthropic/claude"))


def test_preferences_are_trained_by_their_method(tmp_path):
    pair = TrainingSet("preference", tuple(replace(row, rejected="no") for row in rows()))
    with served() as server:
        remote(server, tmp_path).submit(replace(SPEC, data=pair, options={"beta": 0.1, "suffix": "mine"}))
        job = server.finetuning.jobs["ftjob-1"]
        assert job["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}
        assert job["suffix"] == "mine"


def test_a_trained_model_is_asked_where_its_base_is(tmp_path):
    with served() as server:
        base = telic.LM("openai/small", api_base=server.url, api_key=KEY, temperature=0.5, max_tokens=7)
        lm = trained_lm(train(RemoteBackend.of(base), SPEC, poll=0.01), base)
        assert lm("hello") == ["ok"]
        assert server.bodies[-1]["model"] == "ft:small:ftjob-1"
        assert server.bodies[-1]["max_tokens"] == 7
        program = telic.Predict("question -> answer")
        program.lm = lm
        loaded = telic.Predict("question -> answer")
        with telic.context(lm=base):
            loaded.load_state(program.dump_state())
        assert loaded.lm.model == lm.model
        assert loaded.lm("again") == ["ok"]


def test_waiting_can_be_stopped(tmp_path):
    backend = ScriptedBackend(tmp_path, polls=10**6)
    stop, ended = Cancellation(), []

    def wait():
        current.set(stop)
        try:
            wait_for(backend, backend.submit(SPEC), poll=60)
        except CancelledError:
            ended.append(True)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.01)
    stop.cancel()
    thread.join(5)
    assert ended == [True]
