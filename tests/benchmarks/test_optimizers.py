"""The benchmark of optimizers: what is summed up, kept, and told to the sides. Nothing is measured here."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import telic
from benchmarks.optimizers import programs, report
from benchmarks.optimizers.__main__ import cells
from benchmarks.optimizers.cells import Cell, Work
from benchmarks.optimizers.pairing import difference, ratio, score, verdict
from benchmarks.optimizers.running import Bench
from benchmarks.optimizers.scripted import GOOD, ScriptedEngine, knowledge, luck, planted, skill
from benchmarks.optimizers.settings import OPTIMIZERS
from benchmarks.optimizers.tasks import SIZES, TASKS, answer, overlap
from telic.datasets import folder
from telic.datasets.catalogue import info
from tests.scripted import chat

needs_data = pytest.mark.skipif(
    folder.split_file(info("snips_intent_slots"), "test") is None, reason="the data folder is not here"
)
CELL = Cell("intents", "gepa", 3, "dspy")


def found(scores, calls=100, seconds=10.0, **more):
    spent = {"calls": calls, "seconds": seconds, "cpu_seconds": seconds / 2}
    return {"scores": scores, "unread": 0, "errors": 0, "refused": 0, **spent, **more}


# Pairing.


def test_repeats_are_paired_and_the_interval_is_over_them():
    ours = [[1, 1, 0, 1], [1, 1, 1, 1], [1, 0, 1, 1]]
    theirs = [[1, 0, 0, 1], [1, 1, 0, 0], [1, 0, 0, 1]]
    one = difference(ours, theirs)
    # 25, 50 and 25 points: mean 33.3, standard error 8.33, t(2) = 4.303.
    assert one.value == pytest.approx(100 / 3)
    assert one.interval.low == pytest.approx(33.33 - 4.3027 * 8.3333, abs=0.02)
    assert one.interval.high == pytest.approx(33.33 + 4.3027 * 8.3333, abs=0.02)
    assert difference(theirs, ours).value == pytest.approx(-100 / 3)


def test_where_repeats_cannot_tell_rows_are_paired():
    lone = difference([[1, 1, 1, 1, 0]], [[1, 0, 0, 0, 0]])
    assert lone.value == pytest.approx(60)
    assert lone.interval.low < 60 < lone.interval.high
    equal = difference([[1, 0]] * 5, [[0, 1]] * 5)
    assert equal.value == 0
    assert equal.interval.low == -equal.interval.high < 0, "five times the same is not certainty"


def test_score_of_equal_repeats_still_has_a_width():
    assert score([[1, 0], [1, 0]]).value == 50
    low, high = score([[1, 0], [1, 0]]).interval
    assert low < 50 < high
    low, high = score([[1, 1], [0, 0]]).interval
    assert (low, high) == (0, 100), "cut to what a score can be"


def test_ratio_is_a_geometric_mean():
    assert ratio([1, 4], [2, 2]).value == pytest.approx(1)
    assert ratio([10], [20]).interval is None
    same = ratio([1, 2, 3], [2, 4, 6])
    assert (same.value, *same.interval) == pytest.approx((0.5, 0.5, 0.5))


def test_a_failed_compile_leaves_its_pair_out_and_is_counted():
    repeats = [
        {"telic": found([1, 1]), "dspy": found([0, 1], calls=200, seconds=30.0, unread=1)},
        {"telic": found([1, 0], calls=50), "dspy": {"failed": "ValueError: no"}},
    ]
    one = verdict(repeats)
    assert one.pairs == 1
    assert one.failed == {"telic": 0, "dspy": 1}
    assert one.scores["telic"].value == 100
    assert one.ratios["calls"].value == pytest.approx(0.5)
    assert one.ratios["seconds"].value == pytest.approx(1 / 3)
    assert one.unread == {"telic": 0, "dspy": 1}
    assert one.rows == 2
    assert verdict(repeats[1:]) is None


# Tables and bounds.


def test_tables_have_a_line_for_each_cell_and_say_what_failed():
    one = verdict([{"telic": found([1, 1, 0]), "dspy": found([0, 1, 0], calls=400)}])
    shown = report.tables({("intents", "gepa"): one, ("slots", "miprov2"): None})
    scores, spent = shown.split("\n\n")
    assert len(scores.splitlines()) == 4
    assert "not compiled" in scores
    assert len(spent.splitlines()) == 3
    assert "| 100, 400 | 0.25 |" in spent
    failing = replace(one, failed={"telic": 0, "dspy": 2})
    assert "1 (DSPy failed 2)" in report.tables({("intents", "gepa"): failing})


def test_bounds_are_on_score_calls_and_time():
    key = ("intents", "gepa")
    rows = [1, 0] * 20
    good = verdict([{"telic": found(rows, 40, 4.0), "dspy": found(rows)}])
    assert report.missed({key: good}) == []
    slow = verdict([{"telic": found(rows, 60, 6.0), "dspy": found(rows)}])
    assert [line.partition(": ")[2] for line in report.missed({key: slow})] == [
        "calls 0.60 > 0.5",
        "time 0.60 > 0.5",
    ]
    worse = verdict([{"telic": found([0] * 40, 40, 4.0), "dspy": found(rows)}])
    assert report.missed({key: worse}) == ["intents, gepa: the score is lower"]
    assert report.missed({key: None}) == ["intents, gepa: no repeat was finished by both"]


def test_the_record_is_json():
    repeats = {("intents", "gepa"): [{"telic": found([1.0]), "dspy": found([0.0])}]}
    rows = report.recorded({key: verdict(rows) for key, rows in repeats.items()}, repeats)
    assert json.loads(json.dumps(rows))[0]["verdict"]["pairs"] == 1


# Cells.


def test_cells_are_each_measured_once_and_sides_take_turns():
    made = list(cells(list(TASKS), list(OPTIMIZERS), 2))
    assert len(made) == len(set(made)) == 3 * 3 * 2 * 2
    assert [cell.side for cell in made[:2]] == ["telic", "dspy"]
    assert [cell.side for cell in made[-2:]] == ["dspy", "telic"]
    assert {cell.side for cell in cells(["slots"], ["gepa"], 2, "dspy")} == {"dspy"}


def test_a_kept_cell_is_found_again_only_under_the_same_conditions(tmp_path):
    work, bench = Work(tmp_path), Bench("python")
    conditions = bench.conditions(CELL)
    assert work.get(CELL, conditions) is None
    work.put(CELL, conditions, found([1.0]))
    assert Work(tmp_path).get(CELL, conditions) == found([1.0])
    assert work.get(replace(CELL, repeat=4), conditions) is None
    assert work.get(CELL, bench.limited(10).conditions(CELL)) is None
    assert work.get(CELL, replace(bench, reflection="openai/other").conditions(CELL)) is None
    assert Work(tmp_path, fresh=True).get(CELL, conditions) is None


def test_limits_only_ever_lower_the_sizes():
    assert Bench("python").limited(None).sizes == SIZES
    assert set(Bench("python").limited(10).sizes.values()) == {10}
    assert Bench("python").limited(1000).sizes == SIZES


# Tasks.


def test_slots_are_scored_by_overlap():
    gold = {"artist": ["Bach", "Telemann"], "playlist": ["old"]}
    assert overlap(gold, gold) == 1
    assert overlap(gold, {"artist": "bach"}) == pytest.approx(2 / 4)
    assert overlap(gold, {"artist": ["Bach"], "city": ["Leipzig"]}) == pytest.approx(2 / 5)
    assert overlap(gold, "Bach") == overlap(gold, {}) == overlap(gold, {"artist": None}) == 0
    assert overlap({}, {}) == 1
    assert "missing are artist: telemann" in TASKS["slots"].wrong(
        gold, {"artist": ["Bach"], "playlist": ["old"]}
    )


def test_an_equation_is_worked_out_or_is_none():
    assert answer("(12 + 5) * 3") == 51
    assert answer("twelve") is answer(None) is None
    task = TASKS["equations"]
    assert task.score(51, 51.0004) == 1
    assert task.score(51, None) == 0
    assert "51" in task.wrong(51, 50.0)


@needs_data
@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_rows_are_enough_the_same_for_a_seed_and_apart(task):
    rows = task.rows(0)
    assert {split: len(found) for split, found in rows.items()} == SIZES
    assert rows == task.rows(0) != task.rows(1)
    inputs = [row[task.source[0]] for found in rows.values() for row in found]
    assert len(set(inputs)) == len(inputs)
    assert json.loads(json.dumps(rows)) == rows, "they travel to the sides as JSON"


# Programs, and the scripted model.

ROWS = {
    "train": [
        {"question": f"What is {n} and {n}?", "equation": f"{n} + {n}", "answer": 2 * n} for n in range(1, 41)
    ]
}
READ = [row for row in ROWS["train"] if luck(row["question"]) < 95]


def engine():
    return ScriptedEngine(knowledge(TASKS["equations"], ROWS))


def asked(question, demos=0, system="Solve."):
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}] * demos
    last = (
        f"[[ ## question ## ]]\n{question}\n\nNow write `[[ ## equation ## ]]`, then `[[ ## completed ## ]]`."
    )
    return [{"role": "system", "content": system}, *turns, {"role": "user", "content": last}]


@pytest.mark.parametrize(
    ("demos", "system"), [(0, "Solve."), (2, "Solve."), (9, "Solve."), (0, GOOD), (4, GOOD)]
)
def test_the_scripted_model_is_right_as_often_as_it_says(demos, system):
    reached = skill(demos, instructed=system is GOOD)
    for row in ROWS["train"]:
        given = engine().answer(asked(row["question"], demos, system))
        place = luck(row["question"])
        right = chat(equation=row["equation"] if place < reached else "0 + 0")
        assert given.split() == (right.split() if place < 95 else ["I", "would", "rather", "not", "say."])


def test_the_scripted_model_answers_in_json_and_asked_again():
    row = next(row for row in READ if luck(row["question"]) < 20)
    messages = asked(row["question"])
    messages[-1]["content"] = (
        messages[-1]["content"].partition("Now")[0] + "Answer with a JSON object: `equation`."
    )
    assert json.loads(engine().answer(messages)) == {"equation": row["equation"]}
    again = [*asked(row["question"]), {"role": "assistant", "content": "?"}]
    again.append({"role": "user", "content": "Not so.\nNow write `[[ ## equation ## ]]`."})
    assert row["equation"] in engine().answer(again)
    proposal = [{"role": "user", "content": "Now write `[[ ## new_instruction ## ]]`."}]
    assert GOOD in engine().answer(proposal)


def test_what_is_planted_grows_with_what_an_optimizer_can_find():
    texts = [row["question"] for row in ROWS["train"]]
    gepa, search, both = (planted(name, texts) for name in ("gepa", "random-search", "miprov2"))
    assert gepa <= search < both < 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_are_made_with_the_parameters_of_the_job(name):
    lm = telic.LM("openai/served", api_base="http://127.0.0.1:9/v1", api_key="none")
    job = {"optimizer": OPTIMIZERS[name], "threads": 3, "seed": 7}
    made = programs.optimizer(telic, TASKS["slots"], job, lm)
    assert type(made).__name__ == OPTIMIZERS[name]["class"]
    assert (made.num_threads, made.seed) == (3, 7)
    for parameter, value in OPTIMIZERS[name]["parameters"].items():
        assert getattr(made, parameter) == value
    assert getattr(made, OPTIMIZERS[name]["proposes"] or "prompt_model", lm) is lm


def test_the_program_hands_its_equation_to_the_calculator():
    task = TASKS["equations"]
    program = programs.program(telic, task)
    (example,) = programs.examples(telic, task, [READ[0]])
    with telic.context(lm=telic.testing.DummyLM([{"equation": "2 * 21"}])):
        prediction = program(**example.inputs())
    assert prediction.answer == 42
    told = programs.telling_metric(telic, task)(telic.Example(answer=41.0), prediction)
    assert (told.score, "42" in told.feedback) == (0, True)
