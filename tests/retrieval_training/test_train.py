"""Training of an encoder, from data to a folder that `Encoder.load` opens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from telic.errors import InputError, MissingExtraError, RunMismatchError  # noqa: E402
from telic.retrieval.late_interaction.encoder.encoder import Encoder  # noqa: E402
from telic.retrieval.late_interaction.training import machine  # noqa: E402
from telic.retrieval.late_interaction.training.batches import make_batch  # noqa: E402
from telic.retrieval.late_interaction.training.examples import TrainingExample  # noqa: E402
from telic.retrieval.late_interaction.training.settings import RetrievalSettings  # noqa: E402
from telic.retrieval.late_interaction.training.student import Student  # noqa: E402
from telic.retrieval.late_interaction.training.train_encoder import train  # noqa: E402
from telic.retrieval.late_interaction.training.validation import reciprocal_ranks  # noqa: E402
from tests.retrieval_training.tiny import tiny_bert  # noqa: E402

ASKED = [f"asked{letter}" for letter in "abcdefghijkl"]
SAID = [f"said{letter}" for letter in "abcdefghijkl"]
CITIES = [f"city{letter}" for letter in "abcdefghijkl"]
WORDS = [*ASKED, *SAID, *CITIES, "of", "is", "the"]
COLBERT = {
    "query_marker": "[unused0]", "passage_marker": "[unused1]", "augment": True,
    "query_length": 12, "passage_length": 24,
}  # fmt: skip
FAST = RetrievalSettings(
    batch_size=6, steps=40, learning_rate=0.003, dropout=0.0, precision="float32", negatives=2
)


def planted(count: int, begin: int = 0) -> list[TrainingExample]:
    """A query's word means another word of its passage; nothing but training can tell which."""
    made = []
    for number in range(begin, begin + count):
        place, city = number % 12, CITIES[number * 5 % 12]
        right = f"the {SAID[place]} of {city}."
        wrong = [f"the {SAID[(place + step) % 12]} of {city}." for step in (1, 3, 5)]
        made.append(TrainingExample(f"{ASKED[place]} of {city}?", (right,), tuple(wrong)))
    return made


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base") / "plain", WORDS)


@pytest.fixture(scope="module")
def colbert(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with ColBERT's markers, masks and projection."""
    out = tmp_path_factory.mktemp("colbert") / "colbert"
    return train(Encoder.load(base, **COLBERT), planted(6), out, settings=FAST, steps=1, dim=16).folder


@pytest.mark.parametrize("which", ["base", "colbert"])
def test_the_student_computes_the_vectors_of_the_encoder(which: str, request: pytest.FixtureRequest) -> None:
    encoder = Encoder.load(request.getfixturevalue(which))
    student = Student(encoder, RetrievalSettings())
    texts = ["askeda of cityb?", "", "the saidc, the saidd. of cityc", "of " * 40]
    for ours, theirs in (
        (student.encode_queries(texts), encoder.encode_queries(texts)),
        (student.encode_passages(texts), encoder.encode_passages(texts)),
    ):
        assert [tuple(one.shape) for one in ours] == [one.shape for one in theirs]
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one.numpy(), other, atol=2e-5)


@pytest.mark.parametrize(
    "change",
    [
        {}, {"in_batch": False}, {"loss": "margin", "margin": 0.5}, {"margin": 0.2, "temperature": 0.5},
        {"distil": 1.0}, {"distil": 1.0, "only_distil": True}, {"precision": "bfloat16"},
    ],
)  # fmt: skip
def test_a_step_of_each_loss_lowers_it(base: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    data = [example.taught([3.0, 0.0, 0.0, 1.0]) for example in planted(6)]
    settings = RetrievalSettings(**{
        "batch_size": 6, "steps": 3, "negatives": 2, "learning_rate": 0.001, "warmup": 0.0, "dropout": 0.0,
        "schedule": "constant", "precision": "float32", **change,
    })  # fmt: skip
    before = Student(Encoder.load(base), settings)
    after = Student(train(base, data, tmp_path / "out", settings=settings).encoder, settings)
    for number in range(3):
        batch = make_batch(data, settings, number)
        with torch.no_grad():
            assert float(after.loss(batch, 0.0)) < float(before.loss(batch, 0.0))


def test_what_was_planted_is_learnt_and_written_down(base: Path, tmp_path: Path) -> None:
    told = []
    report = train(
        base, planted(48), tmp_path / "out", settings=FAST, validation=planted(12, 48), evaluate_every=10,
        pool=["the sea.", "the saida of cityl."], callbacks=[lambda progress: told.append(progress.score)],
    )  # fmt: skip
    assert report.mrr_before is not None
    assert report.mrr_after is not None
    assert report.mrr_after > report.mrr_before + 0.2
    assert report.mrr_after == max(score for _, score in report.scores)
    assert [score is not None for score in told] == [step % 10 == 0 for step in range(1, 41)]
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["mrr_after"] == report.mrr_after
    assert record["base"]["fingerprint"] == Encoder.load(base).fingerprint
    assert record["data"]["examples"] == 48
    assert record["settings"]["learning_rate"] == 0.003
    # The encoder ranks as the validation said it does.
    student = Student(report.encoder, FAST)
    held_back = planted(12, 48)
    pool = [text for example in held_back for text in (*example.positives, *example.negatives)]
    ranks = reciprocal_ranks(
        student, held_back, list(dict.fromkeys([*pool, "the sea.", "the saida of cityl."])), 10
    )
    assert sum(ranks) / 12 == pytest.approx(report.mrr_after)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_ties_count_against_an_encoder(base: Path) -> None:
    student = Student(Encoder.load(base), RetrievalSettings())
    example = TrainingExample("askeda", ("the of",), ())
    assert reciprocal_ranks(student, [example], ["the of", "The of", "the  of"], 10) == [1 / 3]
    assert reciprocal_ranks(student, [example], ["the of", "The of", "the  of"], 2) == [0.0]


def test_a_projection_is_written_as_colberts_own_code_reads_it(colbert: Path) -> None:
    encoder = Encoder.load(colbert)
    assert encoder.dim == 16
    assert encoder.settings == Encoder.load(colbert).settings
    assert json.loads((colbert / "artifact.metadata").read_text())["dim"] == 16
    with pytest.raises(InputError, match="projection of its own"):
        Student(encoder, RetrievalSettings(dim=8))


def test_a_new_projection_keeps_angles(base: Path) -> None:
    encoder = Encoder.load(base)
    full, half = (Student(encoder, RetrievalSettings(dim=dim)) for dim in (None, 24))
    texts = [example.positives[0] for example in planted(8)]
    whole, part = (torch.cat(one.encode_passages(texts)) for one in (full, half))
    gap = (whole @ whole.T - part @ part.T).abs().mean()
    assert part.shape[1] == 24
    assert float(gap) < 0.15


def test_only_the_layers_on_top_learn_where_that_is_asked_for(base: Path, tmp_path: Path) -> None:
    report = train(base, planted(6), tmp_path / "out", settings=FAST, steps=2, top_layers=1)
    before, after = Encoder.load(base).files.checkpoint, report.encoder.files.checkpoint
    for name in before.names:
        assert np.array_equal(before.read(name), after.read(name)) == name.startswith("embeddings."), name


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", [2, 5, 7])
def test_a_killed_training_comes_to_the_same_encoder(base: Path, tmp_path: Path, step: int) -> None:
    def run(name: str, *callbacks: Any) -> Any:
        return train(
            base, planted(24), tmp_path / name, settings=FAST, steps=8, dropout=0.1, checkpoint_every=3,
            accumulate=2, callbacks=callbacks,
        )  # fmt: skip

    def kill(progress: Any) -> None:
        if progress.step == step:
            raise Killed

    whole = run("whole")
    with pytest.raises(Killed):
        run("cut", kill)
    assert not (tmp_path / "cut").exists()
    again = run("cut")
    assert again.losses == whole.losses
    assert again.encoder.fingerprint == whole.encoder.fingerprint


def test_a_process_that_is_killed_goes_on(base: Path, tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import os, signal, sys, torch
        torch.set_num_threads(1)
        from tests.retrieval_training.test_train import FAST, planted, train
        def kill(progress):
            if progress.step == 5:
                os.kill(os.getpid(), signal.SIGKILL)
        train({str(base)!r}, planted(24), {str(tmp_path / "cut")!r}, settings=FAST, steps=8,
              checkpoint_every=2, callbacks=[kill])
    """)
    ended = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == -signal.SIGKILL
    began = []
    got = train(
        base, planted(24), tmp_path / "cut", settings=FAST, steps=8, checkpoint_every=2,
        callbacks=[lambda progress: began.append(progress.step)],
    )  # fmt: skip
    wanted = train(base, planted(24), tmp_path / "whole", settings=FAST, steps=8, checkpoint_every=2)
    assert began[0] == 5
    before, after = got.encoder.files.checkpoint, wanted.encoder.files.checkpoint
    for name in before.names:
        np.testing.assert_allclose(before.read(name), after.read(name), atol=1e-6)


def test_what_is_done_is_not_done_again(base: Path, tmp_path: Path) -> None:
    first = train(base, planted(6), tmp_path / "out", settings=FAST, steps=2, licence="MIT")
    again = train(base, planted(6), tmp_path / "out", settings=FAST, steps=2, callbacks=[lambda _: 1 / 0])
    assert again == first
    assert first.provenance["licence"] == "MIT"
    assert (
        train(first.folder, planted(6), tmp_path / "next", settings=FAST, steps=1).provenance["licence"]
        == "MIT"
    )
    with pytest.raises(RunMismatchError, match="other data"):
        train(base, planted(7), tmp_path / "out", settings=FAST, steps=2)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(RunMismatchError, match="something else"):
        train(base, planted(6), tmp_path / "full", settings=FAST)


def test_an_unfinished_training_with_other_settings_is_refused(base: Path, tmp_path: Path) -> None:
    def kill(progress: Any) -> None:
        if progress.step == 3:
            raise Killed

    with pytest.raises(Killed):
        train(base, planted(6), tmp_path / "out", settings=FAST, checkpoint_every=1, callbacks=[kill])
    with pytest.raises(RunMismatchError, match="unfinished"):
        train(base, planted(6), tmp_path / "out", settings=FAST, checkpoint_every=1, learning_rate=0.1)


def test_it_ends_early_where_nothing_gets_better(base: Path, tmp_path: Path) -> None:
    report = train(
        base, planted(12), tmp_path / "out", settings=FAST, learning_rate=1e-9, validation=planted(6),
        evaluate_every=1, patience=3,
    )  # fmt: skip
    assert report.steps == 3
    assert report.best == 0
    assert report.encoder.encode_queries(["askeda"])[0] == pytest.approx(
        Encoder.load(base).encode_queries(["askeda"])[0], abs=1e-6
    )


def test_what_cannot_be_done_is_said_before_it_is_begun(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no learning_rat;"):
        train(base, planted(2), tmp_path / "out", learning_rat=1.0)
    with pytest.raises(InputError, match="teach"):
        train(base, planted(2), tmp_path / "out", distil=1.0)
    with pytest.raises(InputError, match="name or folder"):
        train(3, planted(2), tmp_path / "out")
    monkeypatch.setattr(machine, "available_memory", lambda: 10_000_000)
    with pytest.raises(InputError, match=r"about \d+\.\d GiB of memory .*Lower batch_size"):
        train(base, planted(2), tmp_path / "out", batch_size=512)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"telic\[finetune\]"):
        train(base, planted(2), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_free_memory_is_known_here() -> None:
    assert machine.available_memory() is None or machine.available_memory() > 2**20
