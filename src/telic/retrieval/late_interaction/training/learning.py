"""The loop of every training here: steps, checkpoints, validations, an end.

What happens in a step is a function of the seed and the step: a killed training that goes on from a
checkpoint comes to the same weights as one that was left alone. This module needs PyTorch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from telic._json import stable_hash
from telic._lazy import require
from telic.errors import StoreError
from telic.retrieval.late_interaction.training.checkpoint import Checkpoints, LearningState
from telic.retrieval.late_interaction.training.machine import in_bfloat16
from telic.retrieval.late_interaction.training.progress import TrainingCallback, TrainingProgress
from telic.retrieval.late_interaction.training.schedule import rate
from telic.retrieval.late_interaction.training.settings import LearningSettings

torch = require("torch", extra="finetune", purpose="training")


class Learning:
    """One training of named weights.

    Args:
        weights: all of the model; those in `learnt` are changed in place.
        learnt: names of the weights that change.
        loss: the loss of a pass, numbered from 0, with its gradient.
        settings: how.
        steps: how many.
        checkpoints: where it goes on and what it writes.
        device: where it is computed.
        measure: validation: a score, of which more is better.
        callbacks: told after each step.
    """

    def __init__(
        self,
        weights: dict[str, Any],
        learnt: list[str],
        loss: Callable[[int], Any],
        settings: LearningSettings,
        steps: int,
        checkpoints: Checkpoints,
        *,
        device: str = "cpu",
        measure: Callable[[], float] | None = None,
        callbacks: tuple[TrainingCallback, ...] = (),
    ) -> None:
        self._weights, self._learnt, self._loss = weights, learnt, loss
        self._settings, self._steps, self._checkpoints = settings, steps, checkpoints
        self._device, self._measure, self._callbacks = device, measure, callbacks
        self._optimizer = self._made_optimizer()
        self.resumed = 0
        """The step that this process began at."""

    def run(self) -> LearningState:
        """Learn to the end; the weights are then the best by validation, or the last where there is none."""
        state = self._begin()
        self.resumed, began, before = state.step, time.perf_counter(), state.seconds
        while state.step < self._steps and not state.stopped:
            loss = self._step(state.step)
            state.losses.append(loss)
            state.step += 1
            score = self._validated(state)
            state.seconds = before + time.perf_counter() - began
            goes_on = self._tell(state, loss, score, time.perf_counter() - began)
            state.stopped = not goes_on or self._worn_out(state)
            if (
                state.step % self._settings.checkpoint_every == 0
                or state.stopped
                or state.step == self._steps
            ):
                self._checkpoints.write(state, self._chosen(), self._moments())
        if self._measure is not None:
            self._load(self._checkpoints.best())
        return state

    def _begin(self) -> LearningState:
        found = self._checkpoints.last()
        if found is None:
            state = LearningState()
            if self._measure is not None:
                self._keep(state, self._measure())
            return state
        state, weights, moments = found
        self._load(weights)
        self._load_moments(moments)
        return state

    def _step(self, step: int) -> float:
        settings = self._settings
        share = rate(step, self._steps, settings.warmup, settings.schedule)
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * share
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        with _own_chance(settings.seed, step):
            for part in range(settings.accumulate):
                with computing(settings, self._device):
                    loss = self._loss(step * settings.accumulate + part) / settings.accumulate
                loss.backward()
                total += float(loss.detach())
        if settings.clip:
            torch.nn.utils.clip_grad_norm_([self._weights[name] for name in self._learnt], settings.clip)
        self._optimizer.step()
        return total

    def _validated(self, state: LearningState) -> float | None:
        every = self._settings.evaluate_every
        due = state.step == self._steps or (every is not None and state.step % every == 0)
        if self._measure is None or not due:
            return None
        score = self._measure()
        self._keep(state, score)
        return score

    def _keep(self, state: LearningState, score: float) -> None:
        best = max((known for _, known in state.scores), default=float("-inf"))
        state.scores.append((state.step, score))
        if score > best:
            state.best = state.step
            self._checkpoints.write_best(state.step, self._chosen())

    def _worn_out(self, state: LearningState) -> bool:
        patience = self._settings.patience
        return patience is not None and sum(step > state.best for step, _ in state.scores) >= patience

    def _tell(self, state: LearningState, loss: float, score: float | None, seconds: float) -> bool:
        share = rate(state.step - 1, self._steps, self._settings.warmup, self._settings.schedule)
        told = TrainingProgress(
            state.step, self._steps, loss, share * self._settings.learning_rate, score, seconds
        )
        answers = [callback(told) for callback in self._callbacks]
        return False not in answers

    def _made_optimizer(self) -> Any:
        for name in self._learnt:
            self._weights[name].requires_grad_(True)
        shrunk = [self._weights[name] for name in self._learnt if self._weights[name].dim() > 1]
        kept = [self._weights[name] for name in self._learnt if self._weights[name].dim() <= 1]
        groups = [
            {"params": shrunk, "weight_decay": self._settings.weight_decay},
            {"params": kept, "weight_decay": 0.0},
        ]
        used = [group for group in groups if group["params"]]
        return torch.optim.AdamW(used, lr=self._settings.learning_rate)

    def _chosen(self) -> dict[str, Any]:
        return {name: self._weights[name] for name in self._learnt}

    def _moments(self) -> dict[str, Any]:
        state = self._optimizer.state
        return {
            f"{name}|{part}": value
            for name in self._learnt
            for part, value in state.get(self._weights[name], {}).items()
        }

    def _load(self, weights: Mapping[str, Any]) -> None:
        if set(weights) != set(self._learnt):
            raise StoreError(
                f"The checkpoint in '{self._checkpoints.folder}' is of other weights. Remove it."
            )
        with torch.no_grad():
            for name, value in weights.items():
                self._weights[name].copy_(value)

    def _load_moments(self, moments: Mapping[str, Any]) -> None:
        for key, value in moments.items():
            name, _, part = key.rpartition("|")
            weight = self._weights[name]
            kept = value.clone() if part == "step" else value.to(weight.device)
            self._optimizer.state[weight][part] = kept


@contextmanager
def _own_chance(seed: int, step: int) -> Iterator[None]:
    """PyTorch's generator is a function of the seed and the step inside, and as before outside."""
    with torch.random.fork_rng():
        torch.manual_seed(int(stable_hash(["training", seed, step])[:15], 16))
        yield


@contextmanager
def computing(settings: LearningSettings, device: str) -> Iterator[None]:
    """Products are computed as precisely as settings say."""
    kind = device.partition(":")[0]
    with torch.autocast(kind, dtype=torch.bfloat16, enabled=in_bfloat16(settings, device)):
        yield
