"""The loop: the same weights however it was taken apart, interrupted or resumed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from telic.errors import TrainingError
from telic.finetune.local import checkpoint
from telic.finetune.local.batches import epoch_batches, split
from telic.finetune.local.causal import CausalTask
from telic.finetune.local.loop import Cancelled, Fit, Measured, fit, rate_at, steps_of
from telic.finetune.local.options import Options
from telic.finetune.local.precision import Machine
from telic.finetune.local.progress import Progress, latest, loss_curve
from telic.finetune.local.tokens import Row, Tokens
from tests.finetune_local import tiny

CPU = Machine("cpu", "fp32", 1e10, 8 << 30)


class Line:
    """y = a x + b by least squares, a row's length its x."""

    def __init__(self, rows: int = 10, validation: list[float] | None = None) -> None:
        import torch

        self._torch = torch
        torch.manual_seed(0)
        self.weights = {"a": torch.nn.Parameter(torch.zeros(1)), "b": torch.nn.Parameter(torch.zeros(1))}
        self.lengths = [2 + n for n in range(rows)]
        self.learnt = [1] * rows
        self.validation = validation
        self.noise = 0.0

    def loss(self, part: Any) -> Any:
        x = self._torch.tensor([float(self.lengths[at]) for at in part])
        noise = self.noise * self._torch.randn(1)
        return ((self.weights["a"] * x + self.weights["b"] - 3 * x - 1 + noise) ** 2).sum()

    def measure(self) -> Measured | None:
        return None if self.validation is None else Measured(self.validation.pop(0), 0.0)

    def values(self) -> tuple[float, ...]:
        return tuple(weight.item() for weight in self.weights.values())


def run(task: Line, folder: Path, stop_at: int | None = None, **given: Any) -> Fit:
    folder.mkdir(exist_ok=True)
    options = Options.of({"epochs": 3, "batch_size": 4, "save_every": 2, **given})
    asked = iter(range(10_000))
    return fit(
        task, options, 0.1, folder, Progress(folder), lambda: stop_at is not None and next(asked) >= stop_at
    )


def test_training_makes_the_loss_smaller(tmp_path: Path):
    state = run(Line(), tmp_path, epochs=40)
    assert state.step == 120
    assert state.losses[-1] < state.losses[0] / 100


@pytest.mark.parametrize("stop_at", [1, 2, 3, 5])
def test_interrupted_and_resumed_gives_the_same_weights(stop_at: int, tmp_path: Path):
    whole, taken = Line(), Line()
    whole.noise = taken.noise = 0.5
    wanted = run(whole, tmp_path / "a")
    with pytest.raises(Cancelled):
        run(taken, tmp_path / "b", stop_at=stop_at)
    anew = Line()
    anew.noise = 0.5
    found = run(anew, tmp_path / "b")
    assert anew.values() == whole.values()
    assert found.losses == wanted.losses
    assert loss_curve(tmp_path / "b") == loss_curve(tmp_path / "a")


def test_killed_between_checkpoints_gives_the_same_weights(tmp_path: Path):
    whole = Line()
    run(whole, tmp_path / "a")

    class Dies(Line):
        def loss(self, part: Any) -> Any:
            if (tmp_path / "b" / "step-0000004").exists():
                raise KeyboardInterrupt
            return super().loss(part)

    with pytest.raises(KeyboardInterrupt):
        run(Dies(), tmp_path / "b", save_every=4)
    anew = Line()
    run(anew, tmp_path / "b", save_every=4)
    assert anew.values() == whole.values()


def test_a_batch_taken_in_parts_gives_the_same_step(tmp_path: Path):
    whole, parts = Line(), Line()
    run(whole, tmp_path / "a", micro_tokens=1000)
    run(parts, tmp_path / "b", micro_tokens=5)
    assert parts.values() == pytest.approx(whole.values(), rel=1e-4)


def test_training_stops_when_the_validation_loss_does_not_fall_and_keeps_the_best(tmp_path: Path):
    task = Line(validation=[9.0, 5.0, 4.0, 6.0, 7.0, 1.0])
    state = run(task, tmp_path, evaluate_every=2, patience=2, epochs=10)
    assert state.step == 8
    assert {step: look.loss for step, look in state.looks.items()} == {0: 9, 2: 5, 4: 4, 6: 6, 8: 7}
    kept = Line()
    checkpoint.put_back(tmp_path / "best.safetensors", kept.weights)
    assert task.values() == kept.values()
    short = Line()
    run(short, tmp_path / "short", steps=0, epochs=10, stop_at=None, evaluate_every=2)
    assert short.values() != kept.values()


def test_a_loss_that_is_no_number_says_what_to_do(tmp_path: Path):
    task = Line()
    task.noise = math.inf
    with pytest.raises(TrainingError, match=r"lower learning_rate"):
        run(task, tmp_path)


def test_checkpoints_are_safetensors_and_json_and_only_the_last_is_kept(tmp_path: Path):
    run(Line(), tmp_path, epochs=4)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [
        "progress.jsonl",
        "state.json",
        "state.safetensors",
    ]
    (state,) = tmp_path.rglob("state.json")
    assert json.loads(state.read_text())["step"] == 12


def test_progress_tells_the_loss_and_the_time_left(tmp_path: Path):
    run(Line(), tmp_path)
    status = latest(tmp_path)
    assert status is not None
    assert (status.state, status.step, status.steps, status.seconds_left) == ("running", 9, 9, 0.0)
    with (tmp_path / "progress.jsonl").open("a") as file:
        file.write('{"state": "runn')  # as a killed process leaves it
    assert latest(tmp_path) == status


def test_an_epoch_has_each_example_once_and_like_lengths_together():
    lengths = [(7 * n) % 100 + 1 for n in range(203)]
    batches = epoch_batches(lengths, 8, 0, 0)
    assert sorted(at for batch in batches for at in batch) == list(range(203))
    assert epoch_batches(lengths, 8, 0, 0) == batches
    assert epoch_batches(lengths, 8, 0, 1) != batches
    padded = sum(max(lengths[at] for at in batch) * len(batch) for batch in batches)
    assert padded < 1.25 * sum(lengths)
    assert [len(part) for part in split(range(4), [3, 9, 4, 8], 18)] == [2, 2]
    assert split([0, 1], [50, 60], 18) == [[1], [0]]


def test_the_rate_rises_and_falls():
    options = Options(warmup=0.2)
    rates = [rate_at(step, 10, options) for step in range(10)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0.1 < rates[-1] < 0.2
    assert steps_of(10, Options(epochs=3, batch_size=4)) == 9
    assert steps_of(10, Options(epochs=3, batch_size=4, steps=5)) == 5


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.llama(tmp_path_factory.mktemp("loop"))


def task_on(base: Path, rows: list[Row], **more: Any) -> CausalTask:
    options = Options.of({"lora": 4, **more.pop("options", {})})
    return CausalTask(base, rows, more.pop("validation", rows), options, more.pop("machine", CPU), **more)


def test_the_loss_is_that_of_the_answers_tokens_alone(base: Path):
    import torch
    import transformers

    rows = Tokens(base).rows(tiny.colours(5))
    ours = task_on(base, rows).loss(range(5)).item()
    model = transformers.AutoModelForCausalLM.from_pretrained(base).eval()
    theirs = 0.0
    for row in rows:
        with torch.no_grad():
            told = torch.log_softmax(model(torch.tensor([row.ids])).logits[0], -1)
        theirs -= sum(float(told[at - 1, row.ids[at]]) for at in range(row.start, len(row)))
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_weights_of_examples_count(base: Path):
    rows = Tokens(base).rows(tiny.colours(2))
    for_one, against = (Row(rows[0].ids, rows[0].start, weight) for weight in (1.0, -1.0))
    assert task_on(base, [for_one, against]).loss([0, 1]).item() == pytest.approx(0.0, abs=1e-4)


def test_checkpointing_and_short_numbers_change_little(base: Path):
    rows = Tokens(base).rows(tiny.colours(4))
    wanted = task_on(base, rows).loss(range(4)).item()
    assert task_on(base, rows, checkpointing=True).loss(range(4)).item() == pytest.approx(wanted, rel=1e-5)
    short = Machine("cpu", "bf16", 1e10, 8 << 30)
    assert task_on(base, rows, machine=short).loss(range(4)).item() == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("lora", [4, False])
def test_a_model_learns_by_heart(base: Path, lora: int | bool, tmp_path: Path):
    rows = Tokens(base).rows(tiny.colours(8))
    options = {"lora": lora, "epochs": 60, "evaluate_every": 20, "patience": 0}
    task = task_on(base, rows, options=options)
    state = fit(task, Options.of(options), 5e-3, tmp_path, Progress(tmp_path))
    looks = [state.looks[step] for step in sorted(state.looks)]
    assert looks[0].exact < 1
    assert min(looks, key=lambda look: look.loss).exact == 1.0
    assert (len(task.weights) == 28) is (lora == 4)


def test_unknown_options_and_values_are_named():
    with pytest.raises(TrainingError, match=r"no option 'rate', 'size'; it has lora, alpha"):
        Options.of({"size": 3, "rate": 1})
    with pytest.raises(TrainingError, match=r"epochs=0.*|lora=True"):
        Options.of({"epochs": 0, "lora": True, "precision": "fp8", "seed": 1.5})
