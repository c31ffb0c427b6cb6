"""What a training of llama2-13b-chat takes, and every step of it on a llama of tiny width."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.served import ServedModel
from telic.finetune.backend import TrainingSpec
from telic.finetune.job import train
from telic.finetune.local.backend import LocalBackend
from telic.finetune.local.forecast import Shape, load_of, memory_of, plan, shortage
from telic.finetune.local.options import Options
from telic.finetune.local.precision import Machine
from telic.lm.model import LM
from tests.finetune_local import tiny
from tests.project.source import ROOT

LLAMA2_13B = {
    "num_hidden_layers": 40,
    "hidden_size": 5120,
    "intermediate_size": 13_824,
    "num_attention_heads": 40,
    "num_key_value_heads": 40,
    "vocab_size": 32_000,
    "tie_word_embeddings": False,
}
GPU = Machine("cuda", "bf16", 600e12, 80_000_000_000)

INST = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + ' ' + eos_token }}"
    "{% else %}{{ '[INST] <<SYS>>' + message['content'] + '<</SYS>> [/INST]' }}{% endif %}{% endfor %}"
)
"""Turns as Llama 2 writes them."""


def test_the_sizes_of_llama2_13b():
    shape = Shape.of(LLAMA2_13B)
    assert shape.parameters == pytest.approx(13.0e9, rel=0.01)
    assert shape.lora(16) == pytest.approx(62.6e6, rel=0.01)


def test_the_forecast_of_llama2_13b():
    options = Options(lora=16, micro_tokens=2048)
    forecast = plan(LLAMA2_13B, 1000, 600, 60, options, GPU)
    assert forecast.steps == 375
    assert 26e9 < forecast.memory_bytes < 80e9
    assert forecast.seconds is not None
    assert 300 < forecast.seconds < 3600
    full = plan(LLAMA2_13B, 1000, 600, 60, Options(lora=False), GPU)
    assert full.memory_bytes > 150e9
    load = load_of([600] * 1000, [60] * 1000, Options(lora=False))
    why = shortage(Shape.of(LLAMA2_13B), load, Options(lora=False), GPU)
    assert why is not None
    assert "lora=16" in why
    assert "micro_tokens" not in why, "the weights alone do not fit"


def told(what: str, options: Options, machine: Machine) -> str:
    """A line of the page's table."""
    forecast = plan(LLAMA2_13B, 1000, 600, 60, options, machine)
    assert forecast.seconds is not None
    load = load_of([600] * 1000, [60] * 1000, options)
    fits = shortage(Shape.of(LLAMA2_13B), load, options, machine) is None
    minutes = forecast.seconds / 60
    time = f"{minutes:,.0f} min" if minutes < 600 else f"{minutes / 1440:,.0f} days"
    gigabytes = f"{forecast.memory_bytes / 1e9:,.0f} GB"
    return f"| {what} | {gigabytes} | {time if fits else 'refused: too little memory'} |"


def test_the_page_tells_what_the_forecast_says():
    small = Machine("cuda", "bf16", 150e12, 23_500_000_000)
    cores = Machine("cpu", "bf16", 300e9, 31_000_000_000)
    lines = [
        "| what | memory | time |",
        "|---|---|---|",
        told("LoRA, a GPU of 80 GB and 600 TFLOP/s in bf16", Options(), GPU),
        told("the same with `checkpointing=True`", Options(checkpointing=True), GPU),
        told("LoRA, a GPU of 24 GB and 150 TFLOP/s", Options(), small),
        told("LoRA, two cores of 300 GFLOP/s in bf16, 32 GB", Options(), cores),
        told("all weights, a GPU of 80 GB", Options(lora=False), GPU),
    ]
    page = (ROOT / "docs" / "finetuning-local.md").read_text(encoding="utf-8")
    assert "\n".join(lines) in page, "\n".join(lines)


def test_memory_falls_with_checkpointing_and_fewer_tokens():
    shape, options = Shape.of(LLAMA2_13B), Options()
    load = load_of([600] * 100, [60] * 100, options)
    plain = memory_of(shape, load, options, "bf16", False)
    assert memory_of(shape, load, options, "bf16", True) < plain
    few = Options(micro_tokens=600)
    assert memory_of(shape, load_of([600] * 100, [60] * 100, few), few, "bf16", False) < plain
    assert memory_of(shape, load, options, "fp32", False) > plain


def test_a_tiny_llama_goes_through_every_step(tmp_path: Path):
    base = tiny.llama(tmp_path / "llama-2-chat", template=INST)
    data = tiny.colours(8)
    options = {"epochs": 80, "learning_rate": 5e-3, "lora": 8, "precision": "fp32", "threads": 1}
    spec = TrainingSpec(f"local/{base}", data, data, options, tmp_path / "models")
    trained = train(LocalBackend(), spec)
    assert trained.provenance["validation"]["after"]["exact"] == 1.0

    here = LM(trained.model, max_tokens=8, **trained.kwargs)
    program = ("benchmarks.served", "--model", trained.model, "--adapter", trained.kwargs["adapter"])
    with ServedModel(program=program) as served:
        there = LM("hosted_vllm/tuned", api_base=served.url, max_tokens=8, num_retries=0)
        for row in data:
            turns = [dict(turn) for turn in row.prompt]
            assert [text.strip() for text in here(messages=turns)] == [row.completion]
            assert [text.strip() for text in there(messages=turns)] == [row.completion]
    here.close()
