"""What a training may be told, and whether it can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeVar

from telic.errors import InputError
from telic.retrieval.late_interaction.training.schedule import Schedule

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningSettings:
    """How weights are changed, whatever they are of.

    Attributes:
        batch_size: examples that one pass takes together.
        accumulate: passes whose gradients are summed for a step: the memory of one, the gradient of all.
        epochs: how often every example is seen, where `steps` does not say otherwise.
        steps: how many steps; overrides `epochs`.
        learning_rate: the largest.
        warmup: steps until then; below 1, share of the steps.
        schedule: the way down: `"linear"`, `"cosine"`, or `"constant"` for none.
        weight_decay: of AdamW (arXiv:1711.05101); not of biases and normalisations.
        clip: greatest norm of a gradient; 0 for none.
        dropout: share of numbers dropped while learning.
        top_layers: only so many layers from the top learn (and what lies behind them), which takes less time
            and memory; all, and the embeddings, where `None`.
        precision: `"bfloat16"` computes in it where it does no harm; `"auto"` does where the processor has
            instructions for it.
        device: where it is computed, as PyTorch names it; `"auto"` takes a graphics card that PyTorch sees.
        seed: all chance is a function of it and of the step.
        checkpoint_every: steps between two checkpoints; a killed training goes on from the last.
        evaluate_every: steps between two validations; only at the end where `None`.
        patience: stop after so many validations without a better one; never where `None`.
    """

    batch_size: int = 16
    accumulate: int = 1
    epochs: float = 1.0
    steps: int | None = None
    learning_rate: float = 2e-5
    warmup: float = 0.1
    schedule: Schedule = "linear"
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    top_layers: int | None = None
    precision: Precision = "auto"
    device: str = "auto"
    seed: int = 0
    checkpoint_every: int = 100
    evaluate_every: int | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "accumulate", "checkpoint_every"):
            _at_least(name, getattr(self, name), 1)
        for name in ("steps", "evaluate_every", "patience", "top_layers"):
            if getattr(self, name) is not None:
                _at_least(name, getattr(self, name), 0 if name == "top_layers" else 1)
        for name in ("warmup", "weight_decay", "clip"):
            _at_least(name, getattr(self, name), 0)
        if not self.learning_rate > 0 or not self.epochs > 0:
            raise InputError(f"learning_rate={self.learning_rate} and epochs={self.epochs} must be above 0.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout={self.dropout} must be at least 0 and below 1.")
        _one_of("schedule", self.schedule, ("linear", "cosine", "constant"))
        _one_of("precision", self.precision, ("auto", "float32", "bfloat16"))

    def total_steps(self, examples: int) -> int:
        """How many steps `examples` examples take."""
        if self.steps is not None:
            return self.steps
        each = self.batch_size * self.accumulate
        return max(1, -(-round(self.epochs * examples) // each))

    def to_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalSettings(LearningSettings):
    """How an encoder is trained.

    Attributes:
        loss: `"contrastive"`: cross-entropy of the positive among the passages; `"margin"`: the positive must
            win against each of them by `margin`.
        in_batch: the passages of the other queries of a pass are negatives too.
        negatives: hard negatives of each query that one pass takes, of those that it has.
        margin: by how much a positive should win; of a contrastive loss it is taken from the score.
        temperature: scores are divided by it before they become probabilities.
        distil: weight of the divergence from the teacher's scores, beside 1 for the loss above.
        only_distil: the teacher is all that is learnt from.
        passage_length: tokens of a passage that are read while learning; the encoder's own where `None`.
        depth: of the MRR that validation measures.
        dim: length of a row: a base without a projection gets one, drawn so that it changes products little;
            its own width where `None`.
    """

    loss: Literal["contrastive", "margin"] = "contrastive"
    in_batch: bool = True
    negatives: int = 1
    margin: float = 0.0
    temperature: float = 1.0
    distil: float = 0.0
    only_distil: bool = False
    passage_length: int | None = None
    depth: int = 10
    dim: int | None = None

    def __post_init__(self) -> None:
        LearningSettings.__post_init__(self)
        _one_of("loss", self.loss, ("contrastive", "margin"))
        for name in ("negatives", "margin", "distil"):
            _at_least(name, getattr(self, name), 0)
        _at_least("depth", self.depth, 1)
        if self.dim is not None:
            _at_least("dim", self.dim, 2)
        if not self.temperature > 0:
            raise InputError(f"temperature={self.temperature} must be above 0.")
        if self.loss == "margin" and not self.margin > 0:
            raise InputError("loss='margin' needs a margin above 0, such as margin=1.0.")
        if self.only_distil and not self.distil > 0:
            raise InputError("only_distil=True needs a weight, such as distil=1.0.")
        if self.passage_length is not None:
            _at_least("passage_length", self.passage_length, 8)


S = TypeVar("S")


def changed(settings: S, changes: Mapping[str, Any], where: str) -> S:
    """The settings with some changed, as keywords of a function say it.

    Raises:
        InputError: there is no such setting; all are named.
    """
    known = [one.name for one in fields(settings)]  # type: ignore[arg-type]
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise InputError(f"{where} has no {', '.join(unknown)}; the settings are {', '.join(known)}.")
    return replace(settings, **changes)  # type: ignore[type-var]


def _at_least(name: str, value: Any, least: float) -> None:
    if not value >= least:
        raise InputError(f"{name}={value} must be at least {least}.")


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name}={value!r} is none of {', '.join(known)}.")
