"""Several adapters on one base in this process, asked in turn."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from telic.errors import LMConfigurationError, ModelWeightsError
from telic.finetune.export.adapter import adapter_to_gguf
from telic.finetune.export.to_gguf import folder_to_gguf
from telic.lm.embedded import adapting, loaded
from telic.lm.embedded.engine import EmbeddedEngine
from telic.lm.model import LM
from telic.lm.weights.adapters import BASE_HASH, BASE_NAME, FORMAT
from telic.lm.weights.facts import sha256
from telic.types import Request
from tests.finetune_local import tiny

PROMPTS = [f"{text} the lamp number {n}" for n, text in enumerate(tiny.TEXTS)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A base, three adapters on it, and one for another model."""
    folder = tmp_path_factory.mktemp("adapters")
    base = tiny.llama(folder / "base")
    served = folder_to_gguf(base, folder / "base.gguf", kind="F16")
    found = {"base": served}
    for seed in (1, 2, 3):
        lora = tiny.lora(base, folder / f"lora-{seed}", seed=seed)
        marks = {BASE_HASH: sha256(served), BASE_NAME: "local/base", FORMAT: "completion"}
        found[f"a{seed}"] = adapter_to_gguf(lora, base, folder / f"a{seed}.gguf", provenance=marks)
    foreign = {BASE_HASH: "0" * 64, BASE_NAME: "local/other"}
    found["foreign"] = adapter_to_gguf(folder / "lora-1", base, folder / "foreign.gguf", provenance=foreign)
    return found


def ask(engine: EmbeddedEngine, prompt: str) -> str:
    return engine.complete(Request("local", prompt=prompt, params={"max_tokens": 12})).choices[0].text or ""


def engines(made: dict[str, Path], **options: object) -> dict[str, EmbeddedEngine]:
    names = {"none": None, **{name: made[name] for name in ("a1", "a2", "a3")}}
    return {name: EmbeddedEngine(str(made["base"]), adapter=path, **options) for name, path in names.items()}


@pytest.fixture(scope="module")
def alone(made: dict[str, Path]) -> dict[str, list[str]]:
    """What each says where it is the only one, and nothing was read before."""
    said = {}
    for name, path in (("none", None), ("a1", made["a1"]), ("a2", made["a2"]), ("a3", made["a3"])):
        said[name] = []
        for prompt in PROMPTS:
            engine = EmbeddedEngine(str(made["base"]), adapter=path)
            said[name].append(ask(engine, prompt))
            engine.close()
    assert len({tuple(texts) for texts in said.values()}) == 4, (
        "the adapters must differ for the tests to see"
    )
    return said


@pytest.mark.parametrize("slots", [1, 2])
def test_asked_in_turn_each_says_what_it_says_alone(made, alone, slots: int):
    ours = engines(made, slots=slots)
    order = ["none", "a1", "none", "a2", "a1", "a1", "a3", "none", "a2", "a3", "a1", "none"]
    for number, prompt in enumerate(PROMPTS):
        for name in order:
            assert ask(ours[name], prompt) == alone[name][number], (name, prompt)
    assert len(loaded._runners) == 1, "one base in memory"
    for engine in ours.values():
        engine.close()


def test_the_prefix_of_one_adapter_is_read_again_by_another(made):
    ours = engines(made)
    prompt = PROMPTS[0]

    def cached(name: str) -> int | None:
        asked = Request("local", prompt=prompt, params={"max_tokens": 1})
        return ours[name].complete(asked).usage.cached_tokens

    ask(ours["a1"], prompt)
    ask(ours["a2"], prompt)
    assert cached("a2") not in (0, None)
    assert not cached("a1")
    assert not cached("none")
    assert cached("none") not in (0, None)
    for engine in ours.values():
        engine.close()


def test_asked_all_at_once_each_says_what_it_says_alone(made, alone):
    ours = engines(made, slots=2)
    wrong: list[object] = []

    def many(name: str) -> None:
        for number, prompt in enumerate(PROMPTS):
            if (said := ask(ours[name], prompt)) != alone[name][number]:
                wrong.append((name, prompt, said))

    threads = [threading.Thread(target=many, args=(name,)) for name in ours for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    for engine in ours.values():
        engine.close()


def test_more_adapters_than_are_held_take_turns(made, alone, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(adapting, "MOST", 2)
    ours = engines(made)
    for _ in range(2):
        for name in ("a1", "a2", "a3"):
            assert ask(ours[name], PROMPTS[0]) == alone[name][0]
    (runner,) = loaded._runners.values()
    assert len(runner.adapted._known) == 2
    for engine in ours.values():
        engine.close()


def test_the_adapters_content_is_part_of_the_key(made, tmp_path: Path):
    base = f"local/{made['base']}"
    moved = shutil.copy(made["a1"], tmp_path / "elsewhere.gguf")
    lms = [LM(base), LM(base, adapter=made["a1"]), LM(base, adapter=str(made["a2"])), LM(base, adapter=moved)]
    keys = [lm.request(prompt="x").key for lm in lms]
    assert len(set(keys[:3])) == 3
    assert keys[1] == keys[3], "the same adapter at another place is the same"


def test_a_call_is_switched_by_a_copy(made, alone):
    lm = LM(f"local/{made['base']}", model_type="text", max_tokens=12, cache=False)
    first, second = lm.copy(adapter=made["a1"]), lm.copy(adapter=made["a2"])
    for name, one in (("a1", first), ("none", lm), ("a2", second), ("none", first.copy(adapter=None))):
        assert one(PROMPTS[0]) == [alone[name][0]]
    assert LM.load_state(first.dump_state()).endpoint == first.endpoint
    assert "adapter" not in lm.dump_state()
    for one in (lm, first, second):
        one.close()


def test_a_folder_of_a_trained_model_is_an_adapter(made, alone, tmp_path: Path):
    (tmp_path / "model").mkdir()
    shutil.copy(made["a1"], tmp_path / "model" / "adapter.gguf")
    engine = EmbeddedEngine(str(made["base"]), adapter=tmp_path / "model")
    assert ask(engine, PROMPTS[0]) == alone["a1"][0]
    assert engine.preferred_adapter == "completion"
    engine.close()


def test_an_adapter_of_another_base_is_refused_with_the_reason(made):
    engine = EmbeddedEngine(str(made["base"]), adapter=made["foreign"])
    with pytest.raises(ModelWeightsError, match=r"trained on the weights 0000000000000000 \(local/other\)"):
        ask(engine, "x")


def test_what_is_no_adapter_is_refused(made, tmp_path: Path):
    with pytest.raises(ModelWeightsError, match="is not a LoRA adapter"):
        EmbeddedEngine(str(made["base"]), adapter=made["base"])
    with pytest.raises(ModelWeightsError, match="There is no adapter"):
        EmbeddedEngine(str(made["base"]), adapter=tmp_path)
    with pytest.raises(LMConfigurationError, match=r"in this process \(local/"):
        _ = LM("openai/gpt-4o-mini", adapter=made["a1"], api_key="none").engine


def test_a_damaged_adapter_is_refused_and_the_base_goes_on(made, alone, tmp_path: Path):
    import numpy

    from telic.finetune.export.writing import GGUFFile

    told = {"general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 1.0}
    bad = tmp_path / "bad.gguf"
    with GGUFFile(bad, "llama", told) as file:
        file.add("blk.0.attn_q.weight.lora_a", numpy.zeros((4, 7)), "F32")
        file.add("blk.0.attn_q.weight.lora_b", numpy.zeros((9, 4)), "F32")
    plain = EmbeddedEngine(str(made["base"]))
    assert ask(plain, PROMPTS[0]) == alone["none"][0]
    engine = EmbeddedEngine(str(made["base"]), adapter=bad)
    with pytest.raises(ModelWeightsError, match="cannot put the adapter"):
        ask(engine, PROMPTS[0])
    assert ask(plain, PROMPTS[0]) == alone["none"][0]
    plain.close()
    engine.close()
