"""The benchmarks on small models: their tables, their data, and the model they serve to others."""

from __future__ import annotations

import pytest

import telic
from benchmarks import page
from benchmarks.embedded_tasks.tasks import SIZES, solved, tasks
from benchmarks.served import ServedModel
from benchmarks.snips_intents import task
from benchmarks.snips_intents.__main__ import _missed
from telic.datasets import folder
from telic.datasets.catalogue import info

needs_data = pytest.mark.skipif(
    folder.split_file(info("snips_intent_slots"), "test") is None, reason="the data folder is not here"
)


def test_a_table_replaces_the_one_between_its_marks(tmp_path):
    text = tmp_path / "page.md"
    text.write_text("before\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n", encoding="utf-8")
    page.show("a", page.table(["x", "y"], [["1", "2"]]), text)
    expected = "before\n<!-- a: begin -->\n| x | y |\n| --- | --- |\n| 1 | 2 |\n<!-- a: end -->\nafter\n"
    assert text.read_text(encoding="utf-8") == expected
    with pytest.raises(ValueError, match="no marks named 'b'"):
        page.show("b", "", text)


def test_bounds_are_on_the_whole_run():
    good = {"score": 60.0, "unread": 0, "calls": 180}
    assert _missed([good, good, good]) == []
    worse = {"score": 49.0, "unread": 1, "calls": 201}
    assert len(_missed([good, good, worse])) == 3


@needs_data
def test_rows_of_a_seed_are_the_same_and_splits_are_apart():
    rows = task.rows(0)
    assert {split: len(found) for split, found in rows.items()} == task.SIZES
    assert rows == task.rows(0)
    assert rows != task.rows(1)
    texts = [row["text"] for found in rows.values() for row in found]
    assert len(set(texts)) == len(texts)


@needs_data
@pytest.mark.parametrize("one", tasks(), ids=lambda one: one.title)
def test_every_task_has_its_rows(one):
    for split, size in SIZES.items():
        assert len(one.rows(split, 0)) == size


def test_arithmetic_is_right_within_rounding():
    example = telic.Example(answer=7.1725)
    assert solved(example, telic.Prediction(answer=7.1725))
    assert not solved(example, telic.Prediction(answer=7.17))
    assert not solved(example, telic.Prediction(answer=None))


@pytest.mark.model
def test_a_served_model_answers_over_http_and_counts():
    with ServedModel("local/smollm2-135m") as served:
        lm = telic.LM("openai/served", api_base=served.url, api_key="none", max_tokens=4)
        (answer,) = lm("The capital of France is")
        assert isinstance(answer, str)
        assert answer
        assert served.spent()["calls"] == 1
