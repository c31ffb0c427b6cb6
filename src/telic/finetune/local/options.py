"""How to train on this machine: the options that `TrainingSpec.options` may name, and their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from telic.errors import TrainingError

Precision: TypeAlias = Literal["auto", "bf16", "fp32"]

_SMALL = 1_000_000_000
"""Parameters under which a model takes, and needs, a larger learning rate."""


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lora: rank of the factors (Hu et al., 2021) on all linear layers; `False` trains all weights.
        alpha: scale of the LoRA is `alpha / lora`; 0 for twice the rank.
        dropout: before the first factor.
        epochs: times that every example is seen.
        steps: most steps of the optimiser; 0 for as many as `epochs` takes.
        learning_rate: at its highest; 0 chooses by the model's size (1e-3 under a billion parameters, else
            2e-4; a tenth of it for all weights).
        batch_size: examples to a step.
        micro_tokens: most tokens, padding included, that go through the model at once; a batch that has more
            is taken in parts, and steps the same way.
        max_length: longest example in tokens; 0 for the model's own window.
        warmup: part of the steps in which the rate rises; then it falls along a cosine to a tenth.
        weight_decay: of AdamW (Loshchilov and Hutter, 2019).
        clip: largest norm of a gradient; 0 for none.
        precision: `bf16`, `fp32`, or `auto`: whichever is quicker here.
        checkpointing: compute activations again on the way back, which takes a third longer and keeps less;
            `auto`: where memory would not suffice otherwise.
        save_every: steps between checkpoints to go on from.
        evaluate_every: steps between looks at the validation set; 0 for once an epoch.
        patience: looks without a better loss after which training stops; 0 never stops early. The weights
            with the best loss are kept.
        threads: CPU threads; 0 for the cores this process may use.
        merge: also write a GGUF of the whole model with this type (`Q8_0`, `F16`, …) after LoRA; with all
            weights trained, the type of the one file (`F16` by default).
        seed: of order, initial factors and dropout.
    """

    lora: int | Literal[False] = 16
    alpha: float = 0.0
    dropout: float = 0.0
    epochs: int = 3
    steps: int = 0
    learning_rate: float = 0.0
    batch_size: int = 8
    micro_tokens: int = 2048
    max_length: int = 0
    warmup: float = 0.1
    weight_decay: float = 0.0
    clip: float = 1.0
    precision: Precision = "auto"
    checkpointing: bool | Literal["auto"] = "auto"
    save_every: int = 20
    evaluate_every: int = 0
    patience: int = 2
    threads: int = 0
    merge: str = ""
    seed: int = 0

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Options by name.

        Raises:
            TrainingError: there is no such option, or its value is out of range; all such are named.
        """
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise TrainingError(
                f"Training on this machine has no option {', '.join(map(repr, unknown))}; it has "
                f"{', '.join(one.name for one in fields(cls))}."
            )
        made = cls(**given)
        if wrong := [f"{name}={getattr(made, name)!r}" for name in _LEAST if not made._fits(name)]:
            raise TrainingError(
                f"Options out of range: {', '.join(wrong)}. See telic.finetune.local.Options."
            )
        return made

    def rate(self, parameters: int) -> float:
        """The highest learning rate for a model of so many parameters."""
        if self.learning_rate:
            return self.learning_rate
        base = 1e-3 if parameters < _SMALL else 2e-4
        return base if self.lora else base / 10

    @property
    def scale_alpha(self) -> float:
        """`alpha`, chosen where it is 0."""
        return self.alpha or 2.0 * int(self.lora or 0)

    def to_json(self) -> dict[str, Any]:
        """All options by name."""
        return asdict(self)

    def _fits(self, name: str) -> bool:
        value, least = getattr(self, name), _LEAST[name]
        if name == "lora":
            return value is False or (isinstance(value, int) and value is not True and value >= 1)
        if name == "precision":
            return value in ("auto", "bf16", "fp32")
        whole = isinstance(getattr(type(self), name), int)
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        return number and value >= least


_LEAST: dict[str, float] = {
    **dict.fromkeys(("lora", "precision"), 0),
    **dict.fromkeys(("epochs", "batch_size", "micro_tokens", "save_every"), 1),
    **dict.fromkeys(
        ("alpha", "dropout", "steps", "learning_rate", "max_length", "warmup", "weight_decay"), 0
    ),
    **dict.fromkeys(("clip", "evaluate_every", "patience", "threads", "seed"), 0),
}
