"""A model says the same in both its forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from telic.errors import TrainingError
from telic.finetune.export.adapter import adapter_to_gguf
from telic.finetune.export.families import GEMMA3, LLAMA, family_of_config, family_of_gguf
from telic.finetune.export.from_gguf import convert, transformers_folder
from telic.finetune.export.layout import Layout
from telic.finetune.export.splitting import name_of_splitter, splitter_named
from telic.finetune.export.to_gguf import folder_to_gguf, tensors_of
from telic.finetune.export.vocabulary import merges_of_scores
from telic.finetune.export.writing import chosen_types
from telic.lm.embedded.engine import EmbeddedEngine
from telic.types import Request
from tests.finetune_local import tiny

PROMPTS = [text[:cut] for text in tiny.TEXTS for cut in (5, 17, 40)]
CLOSE = 0.02
"""Log-probabilities; llama.cpp keeps keys and values in half precision."""

Maker = Callable[[Path], Path]


def of_llama(path: Path, adapter: Path | None = None) -> list[dict[int, float]]:
    engine = EmbeddedEngine(str(path), adapter=adapter)
    # A whole letter is asked for: half of one would not be told.
    params = {"max_tokens": 1, "logprobs": True, "top_logprobs": 20, "logit_bias": {"70": 100.0}}
    found = []
    for prompt in PROMPTS:
        choice = engine.complete(Request("local", prompt=prompt, params=params)).choices[0]
        assert choice.logprobs is not None
        found.append({one["id"]: one["logprob"] for one in choice.logprobs["content"][0]["top_logprobs"]})
    engine.close()
    return found


def gap(ours: list[dict[int, float]], theirs: list[list[float]]) -> float:
    return max(abs(row[at] - other[at]) for row, other in zip(ours, theirs, strict=True) for at in row)


@pytest.mark.parametrize("make", [tiny.llama, tiny.gemma])
def test_a_folder_written_as_gguf_says_the_same(make: Maker, tmp_path: Path):
    base = make(tmp_path / "base")
    path = folder_to_gguf(base, tmp_path / "base.gguf", kind="F32")
    assert gap(of_llama(path), tiny.log_probabilities(base, PROMPTS)) < CLOSE


@pytest.mark.parametrize("make", [tiny.llama, tiny.gemma])
def test_there_and_back_gives_the_same_numbers_and_tokens(make: Maker, tmp_path: Path):
    import transformers

    base = make(tmp_path / "base")
    path = folder_to_gguf(base, tmp_path / "base.gguf", kind="F16")
    convert(path, tmp_path / "back")
    before, after = dict(tensors_of(base)), dict(tensors_of(tmp_path / "back"))
    assert before.keys() - after.keys() <= {"lm_head.weight"}
    for name, tensor in after.items():
        assert abs(tensor - before[name]).max() < 2e-3 * max(1, abs(tensor).max()), name
    ours, theirs = (transformers.AutoTokenizer.from_pretrained(at) for at in (tmp_path / "back", base))
    for text in [*tiny.TEXTS, "  two  spaces\t\n\n", "ünïcödé ☃ 日本", "<|im_start|>user\nhi<|im_end|>"]:
        assert ours(text)["input_ids"] == theirs(text)["input_ids"]
    assert ours.chat_template == theirs.chat_template
    # And through GGUF a second time nothing more is lost.
    again = folder_to_gguf(tmp_path / "back", tmp_path / "again.gguf", kind="F16")
    assert of_llama(again) == of_llama(path)


@pytest.mark.parametrize("make", [tiny.llama, tiny.gemma])
@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0"])
def test_a_lora_says_the_same_in_transformers_put_on_and_merged(make: Maker, kind: str, tmp_path: Path):
    base = make(tmp_path / "base")
    lora = tiny.lora(base, tmp_path / "lora")
    wanted = tiny.log_probabilities(base, PROMPTS, lora)
    assert gap([dict(enumerate(row)) for row in tiny.log_probabilities(base, PROMPTS)], wanted) > 0.5
    close = {"F32": CLOSE, "F16": 2 * CLOSE, "Q8_0": 0.5}[kind]
    served = folder_to_gguf(base, tmp_path / "base.gguf", kind=kind)
    adapter = adapter_to_gguf(str(lora), str(base), str(tmp_path / "adapter.gguf"))
    assert gap(of_llama(served, adapter), wanted) < close
    merged = folder_to_gguf(base, tmp_path / "merged.gguf", kind=kind, adapter=lora)
    assert gap(of_llama(merged), wanted) < close


def test_the_folder_of_a_gguf_file_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = folder_to_gguf(tiny.llama(tmp_path / "base"), tmp_path / "base.gguf")
    made = transformers_folder(path)
    stamp = (made / "model.safetensors").stat().st_mtime_ns
    assert transformers_folder(str(path)) == made
    assert (made / "model.safetensors").stat().st_mtime_ns == stamp
    assert json.loads((made / "telic_source.json").read_text())["file"] == "base.gguf"


def test_what_the_file_said_of_itself_is_kept_when_it_is_written_again(tmp_path: Path):
    from telic.lm.weights.gguf import read_head

    base = tiny.llama(tmp_path / "base")
    path = folder_to_gguf(base, tmp_path / "base.gguf", kind="F16", provenance={"general.license": "mit"})
    merged = folder_to_gguf(transformers_folder(path), tmp_path / "again.gguf", kind="Q8_0", like=path)
    before, after = read_head(path), read_head(merged)
    assert after["general.license"] == "mit"
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} <= {
        "general.file_type"
    }


def test_unknown_families_are_refused_with_those_that_are_known():
    with pytest.raises(TrainingError, match=r"'mamba'.*llama, gemma3"):
        family_of_gguf("mamba")
    with pytest.raises(TrainingError, match=r"GPT2LMHeadModel.*LlamaForCausalLM"):
        family_of_config({"architectures": ["GPT2LMHeadModel"]})


def test_a_model_that_scales_its_positions_is_refused(tmp_path: Path):
    base = tiny.llama(tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    config["rope_parameters"] = {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0}
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(TrainingError, match="scales its rotary positions"):
        folder_to_gguf(base, tmp_path / "base.gguf")
    assert not list(tmp_path.glob("*base.gguf*"))


def test_an_unknown_tokenizer_is_refused():
    with pytest.raises(TrainingError, match="smollm"):
        splitter_named("klingon")
    with pytest.raises(TrainingError, match="cannot be told"):
        name_of_splitter({"type": "Whitespace"})
    for name in ("gpt-2", "smollm", "llama-bpe"):
        assert name_of_splitter(splitter_named(name)) == name


def test_types_that_python_cannot_make_need_the_tool(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert chosen_types("q8_0") == ("Q8_0", None)
    with pytest.raises(TrainingError, match="llama-quantize"):
        chosen_types("Q4_K_M")


def test_smaller_types_are_made_by_the_tool_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from telic.lm.weights.gguf import read_head

    base = tiny.llama(tmp_path / "base")
    tool = tmp_path / "bin" / "llama-quantize"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$3" > {tmp_path}/asked\ncp "$1" "$2"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    made = folder_to_gguf(base, tmp_path / "small.gguf", kind="q4_k_m")
    assert (tmp_path / "asked").read_text() == "Q4_K_M\n"
    assert read_head(made)["general.architecture"] == "llama"
    assert [path.name for path in tmp_path.glob("*.gguf")] == ["small.gguf"]
    assert not list(tmp_path.glob(".*"))
    tool.write_text("#!/bin/sh\necho no such type >&2\nexit 1\n")
    with pytest.raises(TrainingError, match="no such type"):
        folder_to_gguf(base, tmp_path / "other.gguf", kind="Q4_X")


def test_weights_in_pickles_are_not_read(tmp_path: Path):
    base = tiny.llama(tmp_path / "base")
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    with pytest.raises(TrainingError, match="safetensors"):
        list(tensors_of(base))


@pytest.mark.parametrize("family", [LLAMA, GEMMA3])
def test_moving_rows_there_and_back_changes_nothing(family):
    import numpy

    layout = Layout(family, heads=4, key_heads=2)
    for name, rows in (("blk.0.attn_q.weight", 32), ("blk.0.attn_k.weight", 16), ("output_norm.weight", 8)):
        tensor = numpy.random.default_rng(0).normal(size=(rows, 8) if rows > 8 else (rows,))
        moved = layout.to_gguf(name, tensor)
        assert numpy.allclose(layout.to_transformers(name, moved), tensor)
    assert (family is LLAMA) != numpy.allclose(layout.to_gguf("output_norm.weight", tensor), tensor + 1)


def test_merges_follow_the_scores():
    tokens = ["<unk>", "a", "b", "c", "ab", "bc", "abc"]
    merges = merges_of_scores(tokens, [0, -5, -6, -7, -2, -1, -3], [2, 1, 1, 1, 1, 1, 1])
    assert merges == [["b", "c"], ["a", "b"], ["a", "bc"], ["ab", "c"]]
