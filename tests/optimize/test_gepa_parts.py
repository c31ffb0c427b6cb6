"""The parts of GEPA: which candidate to go on from, what can be merged, when a candidate is stopped."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import telic
from telic.optimize.gepa.merging import find_merge, telling_examples
from telic.optimize.gepa.pool import Pool
from telic.program.state import ProgramState
from tests.optimize.test_gepa import Two, compiled_by, gepa, rows
from tests.scripted import RecordedLM, chat

START = ProgramState.of(Two())


def pool_of(*members: tuple[dict[str, str], tuple[int, ...], list[float]]) -> Pool:
    pool = Pool()
    for texts, parents, scores in members:
        state = START.with_components(texts)
        pool.add(state, f"member {len(pool.members)}", parents, dict(enumerate(scores)), 0)
    return pool


def test_the_front_holds_those_that_are_best_somewhere() -> None:
    pool = pool_of(
        ({}, (), [0.0, 0.0, 0.5, 0.0]),
        ({"a": "1"}, (0,), [1.0, 1.0, 0.0, 0.0]),
        ({"a": "2"}, (0,), [0.0, 0.0, 1.0, 0.0]),
        ({"a": "3"}, (0,), [1.0, 0.5, 0.0, 0.0]),
    )
    # The third equals the first on one example, and is beaten by it on another.
    assert pool.front() == {1: 3, 2: 2}
    drawn = Counter(pool.draw(random.Random(seed)).number for seed in range(500))
    assert set(drawn) == {1, 2}
    assert 240 < drawn[1] < 360
    assert pool.best.number == 1


def test_a_merge_takes_what_either_changed() -> None:
    pool = pool_of(
        ({}, (), [0.0, 0.0]),
        ({"a": "new a"}, (0,), [1.0, 0.0]),
        ({"b": "new b"}, (0,), [0.0, 1.0]),
    )
    tried: set[tuple[int, int, int]] = set()
    merge = find_merge(pool, tried, random.Random(0))
    assert merge is not None
    assert merge.state.components() == {"a": "new a", "b": "new b"}
    assert tried == {(1, 2, 0)}
    assert find_merge(pool, tried, random.Random(0)) is None


def test_no_merge_of_descendants_nor_of_changes_to_the_same_text() -> None:
    line = pool_of(({}, (), [0, 0]), ({"a": "x"}, (0,), [1, 0]), ({"a": "x", "b": "y"}, (1,), [0, 1]))
    same = pool_of(({}, (), [0, 0]), ({"a": "x"}, (0,), [1, 0]), ({"a": "y"}, (0,), [0, 1]))
    for pool in (line, same):
        assert find_merge(pool, set(), random.Random(0)) is None


def test_a_merge_is_tried_where_its_parents_differ() -> None:
    pool = pool_of(
        ({}, (), [0.0] * 8),
        ({"a": "x"}, (0,), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        ({"b": "y"}, (0,), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
    )
    merge = find_merge(pool, set(), random.Random(0))
    assert merge is not None
    assert {0, 1, 2, 3} < set(telling_examples(merge, 5, random.Random(1)))
    assert len(set(telling_examples(merge, 99, random.Random(1)))) == 8


def halves_lm() -> RecordedLM:
    """Odd questions need ODD in step a, even ones EVEN in step b; either word alone harms the others."""
    lm: RecordedLM

    def reply(text: str) -> str:
        system = lm.asked[-1][0]["content"]
        number = "".join(c for c in text if c.isdigit())[0:3]
        if "`question`" in system and "`note`" in system:
            return chat(note=f"{number} {'odd' if 'ODD' in system else '-'}")
        odd = int(number) % 2 == 1
        if odd:
            return chat(answer="all" if "odd" in text else "none" if "EVEN" in system else "half")
        return chat(answer="all" if "EVEN" in system else "none" if "odd" in text else "half")

    lm = RecordedLM(reply)
    return lm


def test_a_search_merges_what_two_lineages_found() -> None:
    """A proposer that forgets the other step's word each time: only a merge has both."""

    def forgetful(candidate: Any, reflective_dataset: Any, components_to_update: Any) -> dict[str, str]:
        new = {"a": "ODD", "b": "EVEN"}
        return {name: new[name] for name in components_to_update}

    def one_of_both(state: Any, candidate: Any, **_: Any) -> list[str]:
        changed = [name for name in candidate if candidate[name] in ("ODD", "EVEN")]
        return ["a" if state.i % 2 else "b"] if not changed else []

    optimizer = gepa(
        instruction_proposer=forgetful, component_selector=one_of_both, max_metric_calls=200, track_stats=True
    )
    compiled = compiled_by(optimizer, lm=halves_lm(), trainset=rows(8, 100), valset=rows(8, 200))
    assert compiled.detailed_results.parents[-1] == [1, 2]
    assert compiled.report.ranking[0].label == "merge of 1 and 2"
    assert compiled.report.ranking[0].mean == 1.0
    without = gepa(
        instruction_proposer=forgetful, component_selector=one_of_both, max_metric_calls=200, use_merge=False
    )
    compiled = compiled_by(without, lm=halves_lm(), trainset=rows(8, 100), valset=rows(8, 200))
    assert compiled.report.ranking[0].mean == 0.5
    assert len(compiled.report.ranking) == 3


def overfitting(racing: bool) -> Any:
    """The new text helps on the training questions, and ruins the validation questions."""
    lm: RecordedLM

    def reply(text: str) -> str:
        new = "NEW" in lm.asked[-1][0]["content"]
        return chat(answer="all" if new is ("q1" not in text) else "none")

    lm = RecordedLM(reply)
    optimizer = telic.GEPA(
        metric=lambda gold, pred, trace=None, pred_name=None, pred_trace=None: pred.answer == "all",
        max_metric_calls=60,
        reflection_lm=RecordedLM(lambda text: chat(new_instruction="NEW")),
        skip_perfect_score=False,
        perfect_score=2.0,
        racing=racing,
    )
    valset = [e for e in rows(100, 100) if "q1" in e.question][:40]
    with telic.context(lm=lm):
        return optimizer.compile(telic.Predict("question -> answer"), trainset=rows(3, 200), valset=valset)


def test_a_candidate_shown_worse_than_its_parent_is_stopped_early() -> None:
    raced, whole = overfitting(True), overfitting(False)
    assert [r.stopped for r in raced.report.ranking] == [False, True]
    assert len(raced.report.ranking[1].scores) == 6
    assert [len(r.scores) for r in whole.report.ranking] == [40, 40]
    assert raced.report.ranking[0].label == whole.report.ranking[0].label == "as given"
    assert raced.report.spent.scores == whole.report.spent.scores - 34


class Toned(telic.Module):
    """Shows the model a text of its own."""

    def __init__(self) -> None:
        self.tone = telic.Text("Hm.", desc="tone of answers")
        self.answer = telic.Predict("question, tone -> answer")

    def forward(self, question: str) -> Any:
        return self.answer(question=question, tone=str(self.tone))


def test_declared_texts_are_rewritten_and_saved(tmp_path: Any) -> None:
    reflection = RecordedLM(lambda text: chat(new_instruction="MAGIC"))
    lm = RecordedLM(lambda text: chat(answer="all" if "MAGIC" in text else "none"))
    compiled = compiled_by(gepa(reflection_lm=reflection), Toned(), lm)
    assert str(compiled.tone) == "MAGIC"
    assert any("tone of answers" in str(messages) for messages in reflection.asked)
    compiled.save(tmp_path / "toned.json")
    again = Toned()
    again.load(tmp_path / "toned.json")
    assert str(again.tone) == "MAGIC"


def agent_lm() -> RecordedLM:
    """Uses the tool where it is said to be the one, and knows the answer where it did."""
    lm: RecordedLM

    def reply(text: str) -> str:
        system = lm.asked[-1][0]["content"]
        if "next_tool_name" in system:
            use = "MAGIC" in system and "observation" not in text
            return chat(next_thought="…", next_tool_name="find" if use else "finish", next_tool_args="{}")
        return chat(reasoning="…", answer="all" if "found it" in text else "none")

    lm = RecordedLM(reply)
    return lm


def find() -> str:
    """Do something."""
    return "found it"


def test_what_tools_are_said_to_do_is_rewritten_where_asked_for() -> None:
    def proposer(candidate: Any, reflective_dataset: Any, components_to_update: Any) -> dict[str, str]:
        (record, *_) = reflective_dataset[components_to_update[0]]
        assert record["Feedback"] == "no step is named"
        return {name: "MAGIC" for name in components_to_update if name.endswith(".desc")}

    def tools(candidate: Any, **_: Any) -> list[str]:
        return [name for name in candidate if "tools" in name]

    def agent() -> Any:
        return telic.ReAct("question -> answer", tools=[find], max_iters=3)

    options = {"instruction_proposer": proposer, "component_selector": tools}
    compiled = compiled_by(gepa(optimize_tools=True, **options), agent(), agent_lm())
    assert compiled.tools["find"].desc == "MAGIC"
    assert compiled.report.ranking[0].mean == 1.0
    assert "MAGIC" in compiled.react.signature.instructions
    kept = compiled_by(gepa(max_metric_calls=12, **options), agent(), agent_lm())
    assert kept.tools["find"].desc == "Do something."
