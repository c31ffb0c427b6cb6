"""The loop: each round finds more, a killed run goes on, and what it says is so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import telic
from telic.errors import DataError, InputError, RunMismatchError, StoreError
from telic.evaluate.statistics import wilson
from telic.retrieval.late_interaction.encoder.encoder import Encoder
from telic.retrieval.late_interaction.training.settings import RetrievalSettings
from telic.systems.colbert_qa.matching import answers_of, question_of
from telic.systems.colbert_qa.program import ColBERTQA
from telic.systems.colbert_qa.reader.training import ReaderSettings
from telic.systems.colbert_qa.report import ColBERTQAReport, RoundResult
from telic.systems.colbert_qa.rounds import train_colbert_qa
from telic.systems.colbert_qa.supervision import Supervision
from tests.systems_colbert_qa import planted

WORLD = planted.world()
TRAINING = RetrievalSettings(
    batch_size=10, steps=40, learning_rate=0.002, dropout=0.0, negatives=3, precision="float32"
)  # fmt: skip
SUPERVISION = Supervision(depth=20, positive_depth=8, positives=1, negatives=6)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return planted.encoder(tmp_path_factory.mktemp("base"), WORLD.words)


class LastWord(telic.Module):
    """Reads the last word of the best passage."""

    def forward(self, question: str, context: list[str]) -> telic.Prediction:
        return telic.Prediction(answer=context[0].rstrip(".").split()[-1])


def run(base: Encoder, folder: Path, **options: Any) -> ColBERTQAReport:
    return train_colbert_qa(
        WORLD.corpus, WORLD.train, WORLD.dev, folder,
        **{
            "encoder": base, "rounds": 1, "training": TRAINING, "supervision": SUPERVISION, "reader": None,
            "depths": (1, 5), **options,
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def done(base: Encoder, tmp_path_factory: pytest.TempPathFactory) -> ColBERTQAReport:
    return run(base, tmp_path_factory.mktemp("run"), rounds=3, reader=LastWord())


def test_each_round_finds_and_reads_more(done: ColBERTQAReport) -> None:
    found = [one.success(1).percent for one in done.rounds]
    assert found[0] < found[1] < found[2] < found[3], found
    read = [one.exact.percent for one in done.rounds]
    assert read[0] < read[1] < read[2] < read[3], read
    for measure in ("success@1", "mrr", "exact", "f1"):
        comparison = done.compare(measure)
        assert comparison.significant, f"{measure}: {comparison}"
        assert comparison.difference > 20


def test_the_report_says_what_was_found(done: ColBERTQAReport) -> None:
    last = done.rounds[-1]
    hits = sum(rank == 1 for rank in last.ranks)
    assert last.success(1).count == len(WORLD.dev) == len(last.ranks)
    assert last.success(1).interval == wilson(hits, len(last.ranks)).percent()
    assert last.supervised + last.left_out == len(WORLD.train)
    assert done.rounds[0].supervised == 0
    head, *lines = done.rows()
    assert head == ["round", "success@1", "success@5", "MRR", "exact match", "F1", "trained on", "minutes"]
    assert [line[0] for line in lines] == ["0", "1", "2", "3"]
    assert str(last.success(1)) in str(done)
    written = json.loads((done.folder / "report.json").read_text())
    assert written["rounds"][3]["success@1"]["percent"] == last.success(1).percent
    assert written["rounds"][3]["exact"]["n"] == len(WORLD.dev)
    with pytest.raises(InputError, match="recall"):
        done.compare("recall")


def test_a_round_is_a_program(done: ColBERTQAReport) -> None:
    program = done.program(reader=LastWord(), k=3)
    assert isinstance(program, ColBERTQA)
    result = telic.Evaluate(
        devset=WORLD.dev, metric=telic.evaluate.answer_exact_match, display_progress=False
    )(program)
    assert result.score == done.rounds[-1].exact.percent
    prediction = program(question=WORLD.dev[0].question)
    assert len(prediction.context) == len(prediction.passages) == 3
    assert prediction.context[0] == prediction.passages[0].text


async def test_a_program_answers_on_the_loop(done: ColBERTQAReport) -> None:
    question = WORLD.dev[0].question
    program = done.program(reader=lambda question, context: telic.Prediction(answer=context[0]))
    assert (await program.acall(question=question)).answer == program(question=question).answer


def test_questions_and_answers_of_other_rounds_are_not_trained_on(done: ColBERTQAReport) -> None:
    for number in (1, 2, 3):
        examples = json.loads((done.folder / f"round-{number}" / "examples.json").read_text())
        answers = {example.question: example.answer for example in WORLD.train}
        for example in examples:
            answer = answers[example["query"]]
            assert all(answer in text for text in example["positives"])
            assert not any(answer in text.rstrip(".").split() for text in example["negatives"])
            assert len(example["negatives"]) <= 6


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    "at", ["round 0: indexed", "round 1: 7", "round 1: trained", "round 1: success", "reader"]
)
def test_a_killed_run_comes_to_the_same_end(base: Encoder, tmp_path: Path, at: str) -> None:
    reading = ReaderSettings(steps=3, batch_size=4, precision="float32")
    options = {"reader": "extractive", "reading": reading, "training": replace(TRAINING, steps=3)}
    lines: list[str] = []

    def kill(line: str) -> None:
        if line.startswith(at):
            raise Killed

    whole = run(base, tmp_path / "whole", **options)
    with pytest.raises(Killed):
        run(base, tmp_path / "cut", log=kill, **options)
    again = run(base, tmp_path / "cut", log=lines.append, **options)
    assert [(one.ranks, one.answers, one.supervised) for one in again.rounds] == [
        (one.ranks, one.answers, one.supervised) for one in whole.rounds
    ]
    assert whole.program().retriever.encoder.fingerprint == again.program().retriever.encoder.fingerprint
    lines.clear()
    assert run(base, tmp_path / "cut", log=lines.append, **options).to_json() == again.to_json()
    assert [line for line in lines if not line.startswith("reader")] == []


def test_a_run_of_other_data_or_settings_is_refused(done: ColBERTQAReport, base: Encoder) -> None:
    with pytest.raises(RunMismatchError, match="supervision"):
        run(base, done.folder, rounds=3, supervision=Supervision())
    with pytest.raises(RunMismatchError, match="trainset"):
        train_colbert_qa(WORLD.corpus, WORLD.dev, WORLD.dev, done.folder, encoder=base)


def test_rounds_may_begin_with_another_ranking_and_with_the_first_model(
    base: Encoder, tmp_path: Path
) -> None:
    from tests.retrieval_training.test_data import Words

    class Known(Words):
        """Ranks by words and names passages as the corpus does."""

        def _search(self, queries: Any, k: int, wanted: Any) -> Any:
            ids = [row["id"] for row in WORLD.corpus]
            found = super()._search(queries, k, wanted)
            return [[replace(passage, id=ids[int(passage.id)]) for passage in ranking] for ranking in found]

    report = run(
        base, tmp_path, first=Known([row["text"] for row in WORLD.corpus]), rounds=2, continued=False,
        training=replace(TRAINING, steps=2),
    )  # fmt: skip
    assert len(report.rounds) == 3
    records = [
        json.loads((tmp_path / f"round-{number}" / "encoder" / "training.json").read_text())
        for number in (1, 2)
    ]
    assert {record["base"]["fingerprint"] for record in records} == {base.fingerprint}
    with pytest.raises(DataError, match="round 0"):
        report.program(0, reader=LastWord())


def test_held_out_questions_validate_every_round_and_are_in_none(base: Encoder, tmp_path: Path) -> None:
    run(base, tmp_path, rounds=2, held_out=20)
    examples = [json.loads((tmp_path / f"round-{n}" / "examples.json").read_text()) for n in (1, 2)]
    records = [
        json.loads((tmp_path / f"round-{n}" / "encoder" / "training.json").read_text()) for n in (1, 2)
    ]
    for some, record in zip(examples, records, strict=True):
        assert record["data"]["examples"] + record["validation"]["examples"] == len(some)
        assert 15 <= record["validation"]["examples"] <= 20
        assert record["mrr_after"] >= record["mrr_before"]
    with pytest.raises(InputError, match="held_out=70"):
        run(base, tmp_path / "x", held_out=70)


def test_a_round_that_makes_nothing_better_keeps_what_it_began_with(base: Encoder, tmp_path: Path) -> None:
    harmful = replace(TRAINING, learning_rate=10.0, steps=3, schedule="constant", clip=0.0)
    report = run(base, tmp_path, held_out=20, training=harmful)
    assert report.rounds[1].ranks == report.rounds[0].ranks


def test_without_answers_in_the_rankings_there_is_nothing_to_learn(base: Encoder, tmp_path: Path) -> None:
    lost = [telic.Example(question="what is the road?", answer="nowhere")]
    with pytest.raises(DataError, match="none of the 1 questions"):
        train_colbert_qa(WORLD.corpus, lost, lost, tmp_path, encoder=base)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rounds": 0}, "rounds=0"),
        ({"read_depth": 0}, "read_depth"),
        ({"depths": ()}, "depths"),
        ({"held_out": -1}, "held_out"),
        ({"reader": "abstractive"}, "abstractive"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    base: Encoder, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        run(base, tmp_path / "x", **change)
    assert not (tmp_path / "x").exists()


def test_data_that_is_not_there_is_said(base: Encoder, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="corpus is empty"):
        train_colbert_qa([], WORLD.train, WORLD.dev, tmp_path)
    with pytest.raises(DataError, match="devset is empty"):
        train_colbert_qa(WORLD.corpus, WORLD.train, [], tmp_path)
    with pytest.raises(DataError, match="id '1'"):
        train_colbert_qa([{"id": 1, "text": "a"}, {"id": "1", "text": "b"}], WORLD.train, WORLD.dev, tmp_path)
    with pytest.raises(DataError, match="no 'answer'"):
        train_colbert_qa(WORLD.corpus, [{"question": "who?", "answers": []}], WORLD.dev, tmp_path)
    with pytest.raises(DataError, match="no 'question'"):
        question_of({"answer": "x"}, 3)


def test_answers_of_examples_in_every_form() -> None:
    assert answers_of({"answer": "Rome"}, 0) == ("Rome",)
    assert answers_of({"answer": 1984}, 0) == ("1984",)
    assert answers_of({"answers": ["a", " ", "b"], "answer": "c"}, 0) == ("a", "b")
    assert answers_of(telic.Example(answer=["x"]), 0) == ("x",)


def test_a_damaged_journal_is_said(base: Encoder, tmp_path: Path) -> None:
    (tmp_path / "journal.json").write_text("{")
    with pytest.raises(StoreError, match=r"journal\.json"):
        run(base, tmp_path)


def test_scores_of_a_round() -> None:
    one = RoundResult(0, (1, 3, None, 7), (("a b",), ("x",), ("y",), ("z",)), ("a b", "x y", "", "The Z"))
    assert one.success_scores(3) == [1.0, 1.0, 0.0, 0.0]
    assert one.reciprocal_ranks() == pytest.approx([1.0, 1 / 3, 0.0, 1 / 7])
    assert one.exact_scores() == [1.0, 0.0, 0.0, 1.0]
    assert one.f1_scores() == pytest.approx([1.0, 2 / 3, 0.0, 1.0])
    assert one.success(3).percent == 50.0
    with pytest.raises(InputError, match="no reader"):
        _ = RoundResult(0, (1,), (("a",),)).exact
