"""The extractive reader: windows, loss, training, reading."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from telic.errors import DataError, ModelWeightsError, RunMismatchError  # noqa: E402
from telic.systems.colbert_qa.reader.answering import read_all  # noqa: E402
from telic.systems.colbert_qa.reader.data import ReadingExample  # noqa: E402
from telic.systems.colbert_qa.reader.model import marginal_loss  # noqa: E402
from telic.systems.colbert_qa.reader.span_reader import SpanReader, _best, _Span  # noqa: E402
from telic.systems.colbert_qa.reader.training import ReaderSettings, train_reader  # noqa: E402
from telic.systems.colbert_qa.reader.windows import Windows, padded  # noqa: E402
from tests.retrieval_training.tiny import tiny_bert  # noqa: E402

CITIES = [f"city{chr(97 + i % 20)}{chr(97 + i // 20)}" for i in range(40)]
NAMES = [f"name{city[4:]}{letter}" for city in CITIES for letter in "abcd"]
WORDS = ["who", "leads", "mayor", "river", "road", "of", "is", "the", "in", *CITIES, *NAMES]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base"), WORDS, hidden=64)


def tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def test_windows_cover_a_passage_and_lead_back_to_its_text(base: Path) -> None:
    passage = "The Mayor of cityAA is Nameaab, the river is nameaba."
    windows = list(Windows(tokenizer(base), piece=6, stride=4).of("who leads cityAA?", passage, 3))
    assert [window.source for window in windows] == [3] * len(windows)
    covered = {place for window in windows for begin, end in window.offsets for place in range(begin, end)}
    assert covered == {place for place, letter in enumerate(passage) if letter != " "}
    assert all(len(window.ids) - window.first - 1 == len(window.offsets) for window in windows)
    ids, segments, lengths = padded(windows)
    assert lengths == [len(window.ids) for window in windows]
    assert len({len(row) for row in [*ids, *segments]}) == 1
    assert segments[0][windows[0].first] == 1
    assert segments[0][windows[0].first - 1] == 0


def test_answers_are_found_as_whole_words_however_they_are_written(base: Path) -> None:
    (window,) = Windows(tokenizer(base)).of(
        "who", "Mayor of the river. The  mayor is namebaaX namebaa nameaba"
    )
    spans = window.spans(["the mayor", "NAMEBAA"])
    assert [window.words(*span) for span in spans] == ["The  mayor", "namebaa"]
    assert window.spans(["road", ""]) == []


def test_an_empty_passage_has_a_window_without_words(base: Path) -> None:
    (window,) = Windows(tokenizer(base)).of("who", "")
    assert window.offsets == ()


def test_the_loss_is_the_likelihood_of_all_right_spans_over_all_windows_together() -> None:
    begins, ends = torch.randn(3, 4), torch.randn(3, 4)
    spans = [[(0, 1), (2, 2)], [], [(1, 3)]]

    def probabilities(logits: torch.Tensor, rows: list[int]) -> dict[tuple[int, int], float]:
        powers = {(r, t): math.exp(float(logits[r, t])) for r in rows for t in range(4)}
        return {key: value / sum(powers.values()) for key, value in powers.items()}

    begin, end = probabilities(begins, [0, 1]), probabilities(ends, [0, 1])
    first = -math.log(begin[0, 0] * end[0, 1] + begin[0, 2] * end[0, 2])
    begin, end = probabilities(begins, [2]), probabilities(ends, [2])
    second = -math.log(begin[2, 1] * end[2, 3])
    got = marginal_loss(begins, ends, [[0, 1], [2]], spans)
    assert float(got) == pytest.approx((first + second) / 2, rel=1e-5)


def test_a_text_that_stands_in_many_places_is_as_likely_as_all_of_them() -> None:
    alone = _Span(1.0, "Rome", 0)
    often = [_Span(0.6, "Paris", 1), _Span(0.5, "the paris", 2)]
    reading = _best([alone, *often])
    assert (reading.answer, reading.passage) == ("Paris", 1)
    total = math.exp(1.0) + math.exp(0.6) + math.exp(0.5)
    assert reading.score == pytest.approx((math.exp(0.6) + math.exp(0.5)) / total)
    assert _best([]).answer == ""


def examples() -> list[ReadingExample]:
    """In each city one leads, as the word after "mayor" says; the river and the road are not asked for."""
    made = []
    for i, city in enumerate(CITIES):
        mayor, river, road, _ = NAMES[4 * i : 4 * i + 4]
        right = f"the river of {city} is {river}. mayor {mayor}."
        wrong = f"the road of {city} is {road}."
        made.append(ReadingExample(f"who leads {city}?", (mayor,), (wrong, right)))
    return made


SETTINGS = ReaderSettings(
    batch_size=8, steps=100, learning_rate=0.02, dropout=0.0, precision="float32", wrong=1
)


@pytest.fixture(scope="module")
def reader(base: Path, tmp_path_factory: pytest.TempPathFactory) -> SpanReader:
    out = tmp_path_factory.mktemp("reader") / "reader"
    report = train_reader(examples()[:32], base, out, SETTINGS)
    assert report.losses[-1] < 0.1 * report.losses[0]
    assert (report.examples, report.left_out, report.steps) == (32, 0, 100)
    return report.reader


def test_it_learns_to_read_what_it_has_not_seen(reader: SpanReader) -> None:
    held_back = examples()[32:]
    readings = reader.read([e.question for e in held_back], [e.passages for e in held_back])
    right = [
        reading for reading, e in zip(readings, held_back, strict=True) if reading.answer == e.answers[0]
    ]
    assert len(right) >= 6  # of 8; each passage has ten words and more
    assert all(reading.passage == 1 for reading in right)


def test_one_question_is_read_as_several_are(reader: SpanReader) -> None:
    one = examples()[0]
    prediction = reader(question=one.question, context=list(one.passages))
    assert prediction.answer == one.answers[0]
    assert read_all(reader, [one.question], [one.passages]) == [one.answers[0]]
    assert reader(question=one.question, context=[]).answer == ""
    assert reader(question=one.question, context=one.passages[1]).answer == one.answers[0]


def test_a_batch_of_any_size_reads_the_same(reader: SpanReader, base: Path) -> None:
    small = SpanReader(reader.folder, batch_tokens=1)
    questions, contexts = [e.question for e in examples()], [e.passages for e in examples()]
    wanted, got = reader.read(questions, contexts), small.read(questions, contexts)
    assert [one.answer for one in got] == [one.answer for one in wanted]
    assert [one.score for one in got] == pytest.approx([one.score for one in wanted], abs=1e-4)


def test_transformers_opens_the_folder(reader: SpanReader) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.BertForQuestionAnswering.from_pretrained(reader.folder).eval()
    (window,) = Windows(tokenizer(reader.folder)).of("who leads cityaa?", examples()[0].passages[1])
    ids, segments, _ = padded([window])
    with torch.no_grad():
        got = theirs(input_ids=torch.tensor(ids), token_type_ids=torch.tensor(segments))
    begins, ends = reader._logits([window])
    inside = slice(window.first, window.first + len(window.offsets))
    assert torch.allclose(got.start_logits[0, inside], begins[0, inside], atol=1e-4)
    assert torch.allclose(got.end_logits[0, inside], ends[0, inside], atol=1e-4)


class Killed(BaseException):
    pass


def test_a_killed_training_comes_to_the_same_reader(base: Path, tmp_path: Path) -> None:
    import safetensors.torch as safe

    settings = ReaderSettings(batch_size=3, steps=8, checkpoint_every=3, precision="float32")

    def kill(progress: Any) -> None:
        if progress.step == 5:
            raise Killed

    train_reader(examples(), base, tmp_path / "whole", settings)
    with pytest.raises(Killed):
        train_reader(examples(), base, tmp_path / "cut", settings, callbacks=[kill])
    assert not (tmp_path / "cut").exists()
    report = train_reader(examples(), base, tmp_path / "cut", settings)
    assert report.steps == 8
    wanted = safe.load_file(tmp_path / "whole" / "model.safetensors")
    got = safe.load_file(tmp_path / "cut" / "model.safetensors")
    assert all(torch.equal(got[name], wanted[name]) for name in wanted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]
    began = (tmp_path / "cut" / "reader.json").stat().st_mtime_ns
    assert train_reader(examples(), base, tmp_path / "cut", settings) == report
    assert (tmp_path / "cut" / "reader.json").stat().st_mtime_ns == began
    with pytest.raises(RunMismatchError, match="other data or settings"):
        train_reader(examples()[:5], base, tmp_path / "cut", settings)


def test_what_cannot_be_learnt_is_said_before(base: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="word for word"):
        train_reader([ReadingExample("who", ("nobody",), ("the road",))], base, tmp_path / "x")
    with pytest.raises(ModelWeightsError, match="head"):
        SpanReader(base)
    assert list(tmp_path.iterdir()) == []
