"""The training loop: batches, steps, looks at the validation set, checkpoints. It knows no model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.local import checkpoint
from telic.finetune.local.batches import epoch_batches, split
from telic.finetune.local.options import Options
from telic.finetune.local.progress import Progress

_LEAST_RATE = 0.1
"""What the learning rate falls to, as a part of its highest."""

BEST = "best.safetensors"


class Cancelled(Exception):
    """The training was asked to stop."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a look at the validation set found.

    Attributes:
        loss: mean over the tokens that are to be learnt.
        exact: part of the examples whose every token would have been chosen, being the likeliest.
    """

    loss: float
    exact: float


class Task(Protocol):
    """A model with its data, as the loop sees it."""

    weights: Mapping[str, Any]
    """What is trained, by name."""
    lengths: Sequence[int]
    """Tokens of each training example."""
    learnt: Sequence[int]
    """Tokens of each that are learnt."""

    def loss(self, part: Sequence[int]) -> Any:
        """Sum of the loss over the learnt tokens of some training examples, with its graph."""

    def measure(self) -> Measured | None:
        """A look at the validation set; `None` where there is none."""


@dataclass
class Fit:
    """What the loop remembers, and a checkpoint keeps.

    Attributes:
        step: steps done.
        looks: looks at the validation set, by step.
        stale: looks since the best one.
        losses: training loss of each step.
    """

    step: int = 0
    looks: dict[int, Measured] = field(default_factory=dict)
    stale: int = 0
    losses: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        looks = {str(step): [one.loss, one.exact] for step, one in self.looks.items()}
        return {"step": self.step, "looks": looks, "stale": self.stale, "losses": self.losses}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Fit:
        """The inverse of `to_json`."""
        looks = {int(step): Measured(*one) for step, one in row["looks"].items()}
        return cls(row["step"], looks, row["stale"], list(row["losses"]))


def steps_of(examples: int, options: Options) -> int:
    """Steps of a whole training."""
    steps = options.epochs * math.ceil(examples / options.batch_size)
    return min(steps, options.steps) if options.steps else steps


def rate_at(step: int, steps: int, options: Options) -> float:
    """The learning rate of step `step` (counted from 0), as a part of its highest."""
    rising = max(1, round(options.warmup * steps))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return _LEAST_RATE + (1 - _LEAST_RATE) * (1 + math.cos(math.pi * done)) / 2


def fit(
    task: Task,
    options: Options,
    rate: float,
    folder: Path,
    progress: Progress,
    stop: Callable[[], bool] = lambda: False,
) -> Fit:
    """Train, from the latest checkpoint in `folder` if there is one. The best weights are in place then.

    Killed and called again it gives the same weights as undisturbed: what is random depends on seed and step.

    Args:
        task: model and data.
        options: how.
        rate: the highest learning rate.
        folder: for checkpoints.
        progress: told of each step.
        stop: asked before each step whether to give up.

    Raises:
        Cancelled: `stop` said so; a checkpoint was kept.
        TrainingError: the loss is no number any more.
    """
    torch = require("torch", extra="finetune", purpose="training")
    optimizer = torch.optim.AdamW(
        list(task.weights.values()), lr=rate, weight_decay=options.weight_decay, betas=(0.9, 0.999)
    )
    kept = checkpoint.load(folder, task.weights, optimizer)
    state = Fit() if kept is None else Fit.from_json(kept)
    steps = steps_of(len(task.lengths), options)
    per_epoch = math.ceil(len(task.lengths) / options.batch_size)
    every = options.evaluate_every or per_epoch
    if kept is None:
        _look(task, state, folder)
        progress.say("running", step=0, steps=steps, message="training", **_told(state))
    while state.step < steps and not (options.patience and state.stale >= options.patience):
        if stop():
            checkpoint.save(folder, state.step, task.weights, optimizer, state.to_json())
            raise Cancelled
        epoch, place = divmod(state.step, per_epoch)
        batch = epoch_batches(task.lengths, options.batch_size, options.seed, epoch)[place]
        for group in optimizer.param_groups:
            group["lr"] = rate * rate_at(state.step, steps, options)
        torch.manual_seed(options.seed * 1_000_003 + state.step)
        state.losses.append(_step(torch, task, batch, options, optimizer))
        state.step += 1
        if state.step % every == 0 or state.step == steps:
            _look(task, state, folder)
        if state.step % options.save_every == 0:
            checkpoint.save(folder, state.step, task.weights, optimizer, state.to_json())
        progress.step(state.step, steps, state.losses[-1], **_told(state))
    if state.looks:
        checkpoint.put_back(folder / BEST, task.weights)
    return state


def _step(torch: Any, task: Task, batch: Sequence[int], options: Options, optimizer: Any) -> float:
    """One step on a batch, taken in parts; its mean loss over all learnt tokens."""
    tokens = sum(task.learnt[at] for at in batch)
    total = 0.0
    optimizer.zero_grad(set_to_none=True)
    for part in split(batch, task.lengths, options.micro_tokens):
        loss = task.loss(part) / tokens
        loss.backward()
        total += float(loss.detach())
    if not math.isfinite(total):
        raise TrainingError(
            f"The training loss became {total}: the learning rate ({optimizer.param_groups[0]['lr']:g}) is "
            "too high for this model. Train with a lower learning_rate, or precision='fp32'."
        )
    if options.clip:
        torch.nn.utils.clip_grad_norm_(list(task.weights.values()), options.clip)
    optimizer.step()
    return total


def _look(task: Task, state: Fit, folder: Path) -> None:
    """Measure on the validation set, and keep the weights where they are the best so far."""
    found = task.measure()
    if found is None:
        return
    best = min((one.loss for one in state.looks.values()), default=math.inf)
    state.looks[state.step] = found
    state.stale = 0 if found.loss < best else state.stale + 1
    if state.stale == 0:
        checkpoint.keep(folder / BEST, task.weights)


def _told(state: Fit) -> dict[str, Any]:
    if state.step not in state.looks:
        return {}
    return {
        "validation_loss": state.looks[state.step].loss,
        "validation_exact": state.looks[state.step].exact,
    }
