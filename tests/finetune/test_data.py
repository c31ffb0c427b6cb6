"""Training sets: one shape for every format, the same fingerprint everywhere, read back as written."""

from __future__ import annotations

import json

import pytest

import telic
from telic.errors import DataError
from telic.finetune import TrainingExample, TrainingSet, TrainingSpec
from telic.finetune.data import FORMATS
from telic.finetune.lengths import fitting, lengths_of
from telic.finetune.rendering import format_for, render_example
from tests.scripted import ScriptedLM

QA = telic.Signature("question -> answer")
ASKED = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"})
ROWS = {
    "chat": TrainingExample(ASKED, "4"),
    "completion": TrainingExample.of_text("2+2=", "4"),
    "seq2seq": TrainingExample.of_text("add: 2 2", "4"),
    "preference": TrainingExample(ASKED, "4", rejected="5"),
    "reinforce": TrainingExample(ASKED, "4", advantage=-0.5),
}


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_read_as_it_was_written(format, tmp_path):
    data = TrainingSet(format, (ROWS[format], ROWS[format]))
    read = TrainingSet.read(data.write(tmp_path / "rows.jsonl"))
    assert read.format == format
    assert read.rows == data.rows
    assert read.fingerprint == data.fingerprint
    assert len(data.without_repeats()) == 1


def test_rows_are_what_servers_take():
    chat = json.loads(TrainingSet("chat", (ROWS["chat"],)).to_jsonl())
    assert chat == {"messages": [*ASKED, {"role": "assistant", "content": "4"}]}
    preference = ROWS["preference"].to_row("preference")
    assert preference["non_preferred_output"] == [{"role": "assistant", "content": "5"}]


def test_repeats_are_dropped_in_order():
    one, two = ROWS["completion"], TrainingExample.of_text("3+3=", "6")
    assert TrainingSet("completion", (one, two, one, two)).without_repeats().rows == (one, two)


def test_what_is_no_row_is_named_with_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": "a"}\n')
    with pytest.raises(DataError, match=r"line 2.*completion"):
        TrainingSet.read(path)
    path.write_text("\n")
    with pytest.raises(DataError, match="empty"):
        TrainingSet.read(path)
    path.write_text('{"text": "a"}\n')
    with pytest.raises(DataError, match="no training format"):
        TrainingSet.read(path)
    with pytest.raises(DataError, match="no training format 'jsonl'"):
        TrainingSet("jsonl", ())


def test_a_spec_is_named_by_all_that_its_outcome_depends_on(tmp_path):
    data = TrainingSet("chat", (ROWS["chat"],), {"from": "here"})
    spec = TrainingSpec("openai/m", data, options={"epochs": 1})
    same = TrainingSpec(
        "openai/m", TrainingSet("chat", (ROWS["chat"],)), options={"epochs": 1}, folder=tmp_path
    )
    assert spec.key == same.key
    others = [
        TrainingSpec("openai/n", data, options={"epochs": 1}),
        TrainingSpec("openai/m", data, options={"epochs": 2}),
        TrainingSpec("openai/m", data, data, {"epochs": 1}),
        TrainingSpec("openai/m", data, options={"epochs": 1}, start=tmp_path),
        TrainingSpec("openai/m", TrainingSet("chat", ()), options={"epochs": 1}),
    ]
    assert len({spec.key, *(other.key for other in others)}) == 6


@pytest.mark.parametrize("adapter", [telic.ChatAdapter(), telic.JSONAdapter(), telic.XMLAdapter()], ids=repr)
def test_a_chat_example_is_the_request_with_its_answer(adapter):
    lm = ScriptedLM(lambda _: "")
    made = render_example(adapter, lm, QA, [], {"question": "1?"}, {"answer": "one"})
    assert list(made.prompt) == adapter.render(QA, [], {"question": "1?"}).messages
    assert adapter.read(QA, made.completion) == {"answer": "one"}
    assert format_for(lm, made) == "chat"


def test_a_text_example_goes_on_where_the_prompt_ends():
    class Base(ScriptedLM):
        capabilities = telic.types.Capabilities(chat=False, completion=True)

    adapter, lm = telic.CompletionAdapter(), Base(lambda _: "")
    made = render_example(adapter, lm, QA, [], {"question": "1?"}, {"answer": "one"})
    assert made.prompt_text.endswith("Question: 1?\nAnswer:")
    assert made.completion == " one"
    assert format_for(lm, made) == "completion"
    assert adapter.read(QA, made.completion) == {"answer": "one"}


def test_pictures_are_refused_in_words():
    signature = telic.Signature("picture: telic.Image -> answer")
    picture = telic.Image("https://example.org/a.png")
    with pytest.raises(DataError, match="not text"):
        render_example(
            telic.ChatAdapter(),
            ScriptedLM(lambda _: ""),
            signature,
            [],
            {"picture": picture},
            {"answer": "a"},
        )


def test_rows_longer_than_the_window_are_left_out_and_told():
    class Small(ScriptedLM):
        context_window = 60

    lm = Small(lambda _: "")
    long = TrainingExample(({"role": "user", "content": "word " * 100},), "x")
    data = TrainingSet("chat", (ROWS["chat"], long))
    kept, said = fitting(data, lm)
    assert kept.rows == (ROWS["chat"],)
    assert said is not None
    assert "1 of 2" in said
    assert "60 tokens" in said
    assert fitting(kept, lm) == (kept, None)
    lengths = lengths_of(data.rows, lm)
    assert not lengths.exact
    assert lengths.longest > 100
    assert lengths.total == sum(lengths.tokens)
