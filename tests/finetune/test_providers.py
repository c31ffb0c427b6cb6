"""DSPy's way to train: `LM.finetune`, providers and jobs, done by backends."""

from __future__ import annotations

import pytest

import telic
from telic.errors import DataError, LMUnsupportedFeatureError, TrainingError
from telic.finetune.formats import TrainDataFormat
from telic.finetune.providers import BackendProvider, OpenAIProvider
from telic.lm.provider import Provider, TrainingJob
from telic.optimize import BootstrapFinetune
from telic.testing import Finetuning, LocalServer, ScriptedBackend
from tests.scripted import chat

KEY = "sk-secret-0123456789"
ROWS = [
    {"messages": [{"role": "user", "content": f"{n}+{n}?"}, {"role": "assistant", "content": str(2 * n)}]}
    for n in range(12)
]


@pytest.mark.parametrize("format", [TrainDataFormat.CHAT, "chat", None])
def test_an_lm_is_finetuned_where_it_is_served(format):
    with LocalServer(finetuning=Finetuning(), api_key=KEY) as server:
        lm = telic.LM("openai/small", api_base=server.url, api_key=KEY, train_kwargs={"epochs": 2})
        assert isinstance(lm.infer_provider(), OpenAIProvider)
        job = lm.finetune(ROWS, format, {"seed": 3})
        assert isinstance(job, TrainingJob)
        trained = job.result(timeout=30)
        assert trained.model == "openai/ft:small:ftjob-1"
        assert trained("hello") == ["ok"]
        assert job.status().state == "succeeded"
        begun = server.finetuning.jobs["ftjob-1"]
        assert begun["hyperparameters"] == {"n_epochs": 2}
        assert begun["seed"] == 3


def test_what_ends_a_job_is_its_result():
    with LocalServer(finetuning=Finetuning(ends=["failed"]), api_key=KEY) as server:
        lm = telic.LM("openai/small", api_base=server.url, api_key=KEY)
        error = lm.finetune(ROWS, "chat").result(timeout=30)
        assert isinstance(error, TrainingError)
        assert isinstance(lm.finetune([], "chat").result(timeout=30), DataError)
        (result,) = BootstrapFinetune.finetune_lms(
            {"a": {"lm": lm, "train_data": ROWS, "train_data_format": "chat"}}
        ).values()
        assert result.model == "openai/ft:small:ftjob-2"


def test_a_provider_that_trains_nothing_says_so():
    lm = telic.LM("anthropic/claude", api_key=KEY)
    assert type(lm.infer_provider()) is Provider
    for act in (lambda: lm.finetune(ROWS, "chat"), lm.reinforce):
        with pytest.raises(LMUnsupportedFeatureError, match="provider="):
            act()
    lm.launch()
    lm.kill()


class Own(Provider):
    """A provider as users of DSPy write them."""

    calls: list = []

    def __init__(self):
        super().__init__()
        self.finetunable = True

    @staticmethod
    def finetune(job, model, train_data, train_data_format, train_kwargs=None):
        Own.calls.append((model, len(train_data), train_data_format, train_kwargs))
        return f"{model}-tuned"


def test_a_provider_of_ones_own_trains_for_optimizers_too():
    Own.calls.clear()
    reply = chat(answer="yes")
    with LocalServer(reply) as server:
        lm = telic.LM("openai/mine", api_base=server.url, api_key=KEY, provider=Own())
        assert lm.finetune(ROWS, TrainDataFormat.CHAT).result(timeout=30).model == "openai/mine-tuned"
        program = telic.Predict("question -> answer")
        program.lm = lm
        rows = [telic.Example(question=str(n)).with_inputs("question") for n in range(3)]
        compiled = BootstrapFinetune(train_kwargs={"epochs": 1}).compile(program, rows)
        assert compiled.lm.model == "openai/mine-tuned"
        assert compiled(question="x").answer == "yes"
        assert server.bodies[-1]["model"] == "mine-tuned"
    assert Own.calls[1] == ("openai/mine", 3, TrainDataFormat.CHAT, {"epochs": 1})


def test_reinforcement_goes_on_step_by_step(tmp_path):
    backend = ScriptedBackend(tmp_path)
    lm = telic.LM("openai/small", api_base="http://localhost:1/v1", provider=BackendProvider(backend))
    asked = [{"role": "user", "content": "colour of grass?"}]

    def group(rewards):
        return [
            {"messages": asked, "completion": {"role": "assistant", "content": text}, "reward": reward}
            for text, reward in rewards.items()
        ]

    job = lm.reinforce({"clip": 0.2})
    job.step([group({"green": 1.0, "blue": 0.0})], TrainDataFormat.GRPO_CHAT)
    job.save_checkpoint("first")
    job.step([group({"green": 1.0, "red": 0.0}), group({"x": 1.0, "y": 1.0})], TrainDataFormat.GRPO_CHAT)
    job.terminate()
    assert job.lm("colour of grass?") == ["green"]
    assert len(backend.started) == 2
    assert job.status() == {"checkpoints": ["first"]}
    assert job.checkpoints["first"] is not job.lm
