"""The loop: it learns, goes on after a kill as if nothing had happened, and ends when it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from telic.errors import InputError, RunMismatchError, StoreError  # noqa: E402
from telic.retrieval.late_interaction.training.checkpoint import Checkpoints, new_folder  # noqa: E402
from telic.retrieval.late_interaction.training.learning import Learning  # noqa: E402
from telic.retrieval.late_interaction.training.progress import TrainingProgress, progress_lines  # noqa: E402
from telic.retrieval.late_interaction.training.schedule import rate  # noqa: E402
from telic.retrieval.late_interaction.training.settings import LearningSettings, RetrievalSettings  # noqa: E402

INPUTS = torch.randn(64, 5, generator=torch.Generator().manual_seed(3))
WANTED = INPUTS @ torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0])


class Killed(BaseException):
    """As a kill is: nothing catches it."""


def kill_at(step: int) -> Any:
    def callback(progress: TrainingProgress) -> None:
        if progress.step == step:
            raise Killed

    return callback


def learning(
    folder: Path, *callbacks: Any, steps: int = 30, measure: Any = None, **options: Any
) -> tuple[Learning, dict[str, Any]]:
    settings = LearningSettings(
        batch_size=8, learning_rate=0.1, precision="float32", **{"checkpoint_every": 7, **options}
    )
    weights = {"a": torch.zeros(5, 1), "b": torch.zeros(1), "still": torch.ones(2)}

    def loss(number: int) -> Any:
        rows = torch.arange(number * 8, number * 8 + 8) % 64
        kept = torch.nn.functional.dropout(INPUTS[rows], settings.dropout)
        return ((kept @ weights["a"]).squeeze(1) + weights["b"] - WANTED[rows]).pow(2).mean()

    made = Learning(
        weights, ["a", "b"], loss, settings, steps, Checkpoints(folder, "same"),
        measure=None if measure is None else lambda: measure(weights), callbacks=callbacks,
    )  # fmt: skip
    return made, weights


def error_of(weights: dict[str, Any]) -> float:
    with torch.no_grad():
        return -float(((INPUTS @ weights["a"]).squeeze(1) + weights["b"] - WANTED).pow(2).mean())


def test_it_learns_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    run, weights = learning(tmp_path, steps=60)
    state = run.run()
    assert state.step == len(state.losses) == 60
    assert state.losses[-1] < 0.2 * state.losses[0]
    assert weights["still"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("step", [1, 6, 7, 8, 20, 29])
def test_killed_at_any_step_it_comes_to_the_same_weights(tmp_path: Path, step: int) -> None:
    whole, wanted = learning(tmp_path / "whole", measure=error_of, evaluate_every=5)
    told = whole.run()
    with pytest.raises(Killed):
        learning(tmp_path / "cut", kill_at(step), measure=error_of, evaluate_every=5)[0].run()
    again, got = learning(tmp_path / "cut", measure=error_of, evaluate_every=5)
    state = again.run()
    assert again.resumed == (step - 1) // 7 * 7
    assert state.losses == told.losses
    assert state.scores == told.scores
    for name in ("a", "b"):
        assert torch.equal(got[name], wanted[name])


def test_gradients_of_several_passes_are_those_of_one_large_pass(tmp_path: Path) -> None:
    parts, got = learning(tmp_path / "parts", steps=1, accumulate=4, dropout=0.0, clip=0)
    parts.run()
    rows = torch.arange(32)
    weights = [torch.zeros(5, 1, requires_grad=True), torch.zeros(1, requires_grad=True)]
    loss = ((INPUTS[rows] @ weights[0]).squeeze(1) + weights[1] - WANTED[rows]).pow(2).mean()
    loss.backward()
    for name, weight in zip(("a", "b"), weights, strict=True):
        assert torch.allclose(got[name].grad, weight.grad, atol=1e-5)


def test_the_best_by_validation_is_kept(tmp_path: Path) -> None:
    scores = iter([0.1, 0.5, 0.9, 0.2, 0.3])
    seen: list[dict[str, Any]] = []

    def measure(weights: dict[str, Any]) -> float:
        seen.append({name: value.detach().clone() for name, value in weights.items()})
        return next(scores)

    run, weights = learning(tmp_path, measure=measure, evaluate_every=5, steps=20)
    state = run.run()
    assert state.best == 10
    assert state.scores == [(0, 0.1), (5, 0.5), (10, 0.9), (15, 0.2), (20, 0.3)]
    assert torch.equal(weights["a"], seen[2]["a"])


def test_a_training_that_makes_nothing_better_leaves_the_weights_as_they_were(tmp_path: Path) -> None:
    scores = iter([0.9, 0.5, 0.5])
    run, weights = learning(tmp_path, measure=lambda _: next(scores), evaluate_every=5, steps=10)
    assert run.run().best == 0
    assert not weights["a"].any()


def test_it_stops_early_and_stays_stopped(tmp_path: Path) -> None:
    scores = iter([0.5, 0.9, 0.1, 0.2])
    run, _ = learning(tmp_path, measure=lambda _: next(scores), evaluate_every=2, patience=2)
    state = run.run()
    assert (state.step, state.best, state.stopped) == (6, 2, True)
    again, _ = learning(tmp_path, measure=lambda _: 1 / 0, evaluate_every=2, patience=2)
    assert again.run().step == 6


def test_a_callback_is_told_and_may_end_it(tmp_path: Path) -> None:
    told: list[TrainingProgress] = []

    def callback(progress: TrainingProgress) -> bool:
        told.append(progress)
        return progress.step < 3

    state = learning(tmp_path, callback)[0].run()
    assert state.stopped
    assert [one.step for one in told] == [1, 2, 3]
    assert all(one.steps == 30 and one.loss > 0 and one.rate > 0 for one in told)


def test_lines_of_progress_show_loss_and_validation(tmp_path: Path) -> None:
    lines: list[str] = []
    run, _ = learning(
        tmp_path, progress_lines(lines.append, every=4), measure=error_of, evaluate_every=6, steps=10
    )
    run.run()
    assert [line.split(":")[0] for line in lines] == [f"step {step} of 10" for step in (4, 6, 8, 10)]
    assert ["validation" in line for line in lines] == [False, True, False, True]
    assert all("loss" in line for line in lines)


def test_the_random_numbers_of_others_are_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    learning(tmp_path, steps=2)[0].run()
    assert torch.equal(torch.rand(3), wanted)


def test_checkpoints_of_another_training_are_refused(tmp_path: Path) -> None:
    learning(tmp_path / "x", steps=7)[0].run()
    with pytest.raises(RunMismatchError, match="other data"):
        Checkpoints(tmp_path / "x", "other").last()


def test_a_damaged_checkpoint_is_said(tmp_path: Path) -> None:
    learning(tmp_path, steps=7)[0].run()
    (tmp_path / "step-000007" / "weights.safetensors").unlink()
    with pytest.raises(StoreError, match="step-000007"):
        learning(tmp_path)[0].run()


def test_only_the_last_checkpoint_stays(tmp_path: Path) -> None:
    learning(tmp_path, steps=21)[0].run()
    assert [path.name for path in tmp_path.iterdir()] == ["step-000021"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def half() -> None:
        with new_folder(tmp_path / "x") as made:
            (made / "half").write_text("1")
            raise Killed

    with pytest.raises(Killed):
        half()
    assert list(tmp_path.iterdir()) == []
    with new_folder(tmp_path / "x") as made:
        (made / "whole").write_text("1")
    assert (tmp_path / "x" / "whole").read_text() == "1"


def test_the_rate_rises_and_falls() -> None:
    linear = [rate(step, 10, 4, "linear") for step in range(10)]
    assert linear[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert linear[4:] == pytest.approx([1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert [rate(step, 10, 0, "constant") for step in range(10)] == [1.0] * 10
    cosine = [rate(step, 10, 0.2, "cosine") for step in range(10)]
    assert cosine[2] == 1.0
    assert cosine[6] == pytest.approx(0.5)
    assert rate(0, 1, 0.1, "linear") == 1.0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"dropout": 1.0}, "dropout"),
        ({"schedule": "step"}, "schedule"),
        ({"precision": "half"}, "precision"),
        ({"loss": "margin"}, "margin"),
        ({"only_distil": True}, "distil"),
        ({"temperature": 0.0}, "temperature"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"clip": float("nan")}, "clip"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        RetrievalSettings(**wrong)


def test_steps_of_epochs() -> None:
    assert LearningSettings(batch_size=8, accumulate=2, epochs=1.5).total_steps(100) == 10
    assert LearningSettings(steps=3).total_steps(100) == 3
    assert LearningSettings(epochs=0.01).total_steps(10) == 1
