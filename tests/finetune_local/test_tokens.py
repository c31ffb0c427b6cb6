"""What of an example is learnt, token by token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telic.errors import TrainingError
from telic.finetune.data import TrainingExample, TrainingSet
from telic.finetune.export.to_gguf import folder_to_gguf
from telic.finetune.local.tokens import Row, Tokens, check_lengths
from telic.lm.embedded.engine import EmbeddedEngine
from tests.finetune_local import tiny

ASKED = ({"role": "system", "content": "be brief"}, {"role": "user", "content": "the lamp or the cat?"})


def chat(answer: str = "the cat", **more: object) -> TrainingSet:
    return TrainingSet("chat", (TrainingExample(ASKED, answer, **more),))  # type: ignore[arg-type]


def parts(tokens: Tokens, row: Row) -> tuple[str, str]:
    decode = tokens.tokenizer.decode
    return decode(row.ids[: row.start]), decode(row.ids[row.start :])


def test_of_a_chat_the_answer_and_the_end_of_its_turn_are_learnt(tmp_path: Path):
    tokens = Tokens(tiny.llama(tmp_path))
    (row,) = tokens.rows(chat())
    assert parts(tokens, row) == (
        "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nthe lamp or the cat?<|im_end|>\n"
        "<|im_start|>assistant\n",
        "the cat<|im_end|>",
    )
    assert row.ids[-1] == tokens.tokenizer.eos_token_id
    assert row.learnt == len(row) - row.start > 1


def test_of_a_text_the_continuation_and_the_end_are_learnt(tmp_path: Path):
    tokens = Tokens(tiny.llama(tmp_path))
    (row,) = tokens.rows(TrainingSet("completion", (TrainingExample.of_text("cat:", " mat"),)))
    assert parts(tokens, row) == ("cat:", " mat<|im_end|>")


def test_the_prompt_is_what_the_engine_reads(tmp_path: Path):
    base = tiny.llama(tmp_path / "base")
    native = EmbeddedEngine(str(folder_to_gguf(base, tmp_path / "base.gguf")))
    with native._loaded().adapted.using(None) as (server, _):
        text = server.post("/apply-template", {"messages": list(ASKED)})["prompt"]
        read = server.post("/tokenize", {"content": text, "add_special": True, "parse_special": True})
    native.close()
    (row,) = Tokens(base).rows(chat())
    assert list(row.ids[: row.start]) == read["tokens"]


def test_a_first_token_that_the_model_expects_is_there_once(tmp_path: Path):
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    base = tiny.llama(tmp_path, template="{{ bos_token }}" + tiny.TEMPLATE)
    made = Tokenizer.from_file(str(base / "tokenizer.json"))
    made.post_processor = TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])
    made.save(str(base / "tokenizer.json"))
    tokens = Tokens(base)
    for data in (chat(), TrainingSet("completion", (TrainingExample.of_text("cat:", " mat"),))):
        (row,) = tokens.rows(data)
        assert row.ids[0] == 0
        assert row.ids.count(0) == 1


def test_a_template_that_writes_past_answers_otherwise_learns_the_answer_alone(tmp_path: Path):
    shortened = tiny.TEMPLATE.replace(
        "{{ message['content'] }}",
        "{% if message['role'] == 'assistant' %}…{% else %}{{ message['content'] }}{% endif %}",
    ).replace("<|im_start|>assistant\n{% endif %}", "<|im_start|>assistant\nthinking\n{% endif %}")
    tokens = Tokens(tiny.llama(tmp_path, template=shortened))
    (row,) = tokens.rows(chat())
    prompt, answer = parts(tokens, row)
    assert prompt.endswith("<|im_start|>assistant\nthinking\n")
    assert answer == "the cat<|im_end|>"


def test_the_advantage_of_an_answer_is_its_weight(tmp_path: Path):
    tokens = Tokens(tiny.llama(tmp_path))
    data = TrainingSet("reinforce", (TrainingExample(ASKED, "the cat", advantage=-0.5),))
    assert [row.weight for row in tokens.rows(data)] == [-0.5]


def test_chats_need_a_template(tmp_path: Path):
    with pytest.raises(TrainingError, match=r"no chat template.*'completion'"):
        Tokens(tiny.llama(tmp_path, template=None)).rows(chat())


def test_a_template_that_refuses_names_the_example(tmp_path: Path):
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
    with pytest.raises(TrainingError, match="refuses example 0: no system turns"):
        Tokens(tiny.llama(tmp_path, template=strict + tiny.TEMPLATE)).rows(chat())


def test_examples_that_are_too_long_are_named():
    rows = [Row((1,) * 5, 2), Row((1,) * 9, 2), Row((1,) * 7, 2)]
    check_lengths(rows, 9, "examples")
    check_lengths(rows, 0, "examples")
    with pytest.raises(
        TrainingError, match=r"2 examples are longer than the 6 tokens.*1 \(9 tokens\), 2 \(7"
    ):
        check_lengths(rows, 6, "examples")


def test_a_template_in_its_own_file_counts(tmp_path: Path):
    from telic.finetune.export.gguf_vocabulary import chat_template

    base = tiny.llama(tmp_path, template=None)
    assert chat_template(base) is None
    (base / "chat_template.jinja").write_text("{{ messages }}")
    assert chat_template(base) == "{{ messages }}"
    about = json.loads((base / "tokenizer_config.json").read_text())
    assert "chat_template" not in about
