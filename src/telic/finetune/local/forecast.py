"""What a training will take, before it starts: memory and time, from the sizes of the model and the data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from telic.finetune.backend import TrainingForecast
from telic.finetune.local.batches import epoch_batches, split
from telic.finetune.local.loop import steps_of
from telic.finetune.local.options import Options
from telic.finetune.local.precision import Machine

_RUNTIME = 700_000_000
"""Bytes that Python and its libraries take before there is a model."""

_PER_TOKEN = 17
"""Numbers that a layer keeps for the way back, in units of its width, besides those of its middle and of
the LoRA: inputs of norms, queries, keys, values, what attention gave, and copies made for the products."""

_MIDDLE = 5
"""The same in units of the middle layer's width: gate, up, their product, and copies."""

_KEPT = 1.2
"""What the allocator holds of activations and logits, against what is in use at one moment. With it, the
forecast is 5 % above the measured peak for examples of all lengths and a third above for equal ones
(SmolLM2-135M, bf16: 3.5 GB; 1.5 and 3.8 GB with 512 and 2,048 tokens at once)."""

_EFFICIENCY = {"cpu": 0.45, "cuda": 0.4}
"""What training reaches of the speed of one large product."""

_LONG = 1024
"""Tokens from which an example is worth being made shorter."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a causal model.

    Attributes:
        layers: blocks.
        width: numbers that stand for a token between blocks.
        middle: width inside a block's feed-forward part.
        vocabulary: tokens it knows.
        queries: width of all queries together.
        keys: width of all keys together; values likewise.
        tied: the output layer is the embedding.
    """

    layers: int
    width: int
    middle: int
    vocabulary: int
    queries: int
    keys: int
    tied: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """From the contents of a `config.json`."""
        heads = int(config["num_attention_heads"])
        head = int(config.get("head_dim") or config["hidden_size"] // heads)
        keys = int(config.get("num_key_value_heads") or heads)
        return cls(
            int(config["num_hidden_layers"]),
            int(config["hidden_size"]),
            int(config["intermediate_size"]),
            int(config["vocab_size"]),
            heads * head,
            keys * head,
            bool(config.get("tie_word_embeddings", False)),
        )

    @property
    def linear(self) -> int:
        """Parameters of the linear layers in all blocks."""
        attention = self.width * (2 * self.queries + 2 * self.keys)
        return self.layers * (attention + 3 * self.width * self.middle)

    @property
    def parameters(self) -> int:
        """All of them (but for those of norms, which are few)."""
        return self.linear + self.vocabulary * self.width * (1 if self.tied else 2)

    def lora(self, rank: int) -> int:
        """Parameters of a LoRA on all linear layers."""
        ends = 2 * (self.width + self.queries) + 2 * (self.width + self.keys) + 3 * (self.width + self.middle)
        return self.layers * rank * ends


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent through a model.

    Attributes:
        steps: of the optimiser.
        tokens: read in all, padding included.
        learnt: of them, those whose logits are made.
        widest: most tokens at once.
        widest_learnt: most learnt tokens at once.
        longest: tokens of the longest example: no fewer can go through at once.
        measured: tokens read when the validation set is looked at, all looks together.
    """

    steps: int
    tokens: int
    learnt: int
    widest: int
    widest_learnt: int
    longest: int
    measured: int = 0


def load_of(
    lengths: Sequence[int], learnt: Sequence[int], options: Options, validation: Sequence[int] = ()
) -> Load:
    """Go through the batches of the first epoch, as training will."""
    parts = [
        (len(part) * max(lengths[at] for at in part), sum(learnt[at] for at in part))
        for batch in epoch_batches(lengths, options.batch_size, options.seed, 0)
        for part in split(batch, lengths, options.micro_tokens)
    ]
    steps = steps_of(len(lengths), options)
    epoch = math.ceil(len(lengths) / options.batch_size)
    looks = 1 + steps // (options.evaluate_every or epoch)
    return Load(
        steps,
        sum(read for read, _ in parts) * steps // epoch,
        sum(told for _, told in parts) * steps // epoch,
        max(read for read, _ in parts),
        max(told for _, told in parts),
        max(lengths),
        looks * sum(validation),
    )


def memory_of(shape: Shape, load: Load, options: Options, precision: str, checkpointing: bool) -> int:
    """Bytes at the peak: weights, what is trained (with gradients and both moments), activations, logits."""
    half = 2 if precision == "bf16" else 4
    trained = shape.lora(int(options.lora)) if options.lora else shape.parameters
    held = shape.parameters * (half if options.lora else 4) + trained * (16 if options.lora else 12)
    if not options.lora and half == 2:
        held += 2 * shape.linear  # copies of the weights in 16 bits, kept for the way back
    numbers = _PER_TOKEN * shape.width + 2 * (shape.queries + shape.keys) + _MIDDLE * shape.middle
    if options.lora:
        numbers += 7 * int(options.lora) + 2 * (3 * shape.width + shape.middle)
    layer = load.widest * numbers * half
    activations = layer * shape.layers
    if checkpointing:
        activations = layer + load.widest * shape.width * half * shape.layers
    # Logits in 16 and in 32 bits, their gradient, and their exponentials.
    logits = load.widest_learnt * shape.vocabulary * 14
    return int(_RUNTIME + held + _KEPT * (activations + logits))


def seconds_of(shape: Shape, load: Load, options: Options, machine: Machine, checkpointing: bool) -> float:
    """Time of the steps and looks; loading and writing the model come on top.

    A product costs two operations for each number of its weight and each token; the way back costs the same
    once for the activations, and once more for each weight that is trained.
    """
    back = 2 if options.lora else 4
    again = 2 if checkpointing else 0
    body = (2 + back + again) * shape.linear * load.tokens + 2 * shape.linear * load.measured
    head = (2 + back) * shape.vocabulary * shape.width * load.learnt
    return (body + head) / (machine.flops * _EFFICIENCY[machine.device])


def needs_checkpointing(shape: Shape, load: Load, options: Options, machine: Machine) -> bool:
    """What `checkpointing` comes to on this machine."""
    if options.checkpointing != "auto":
        return bool(options.checkpointing)
    return memory_of(shape, load, options, machine.precision, False) > machine.memory


def forecast_of(shape: Shape, load: Load, options: Options, machine: Machine) -> TrainingForecast:
    """What training takes on this machine."""
    checkpointing = needs_checkpointing(shape, load, options, machine)
    memory = memory_of(shape, load, options, machine.precision, checkpointing)
    trained = shape.lora(int(options.lora)) if options.lora else shape.parameters
    notes = [
        f"{machine.precision} on {machine.device}; {trained:,} of {shape.parameters:,} parameters trained."
    ]
    if checkpointing:
        notes.append("Activations are computed again on the way back, to save memory.")
    if options.patience:
        notes.append("Training may stop early, where the validation loss does not fall any more.")
    seconds = seconds_of(shape, load, options, machine, checkpointing)
    return TrainingForecast(memory, seconds, load.steps, load.tokens, 0.0, tuple(notes))


def plan(
    config: Mapping[str, Any], examples: int, tokens: int, learnt: int, options: Options, machine: Machine
) -> TrainingForecast:
    """A forecast without model or data: for a model of these sizes and examples of one length.

    Args:
        config: the contents of a `config.json`.
        examples: how many.
        tokens: of each, prompt and answer.
        learnt: of them, the answer's.
        options: how.
        machine: on what; `flops` is that of one large product.
    """
    load = load_of([tokens] * examples, [learnt] * examples, options)
    return forecast_of(Shape.of(config), load, options, machine)


def shortage(shape: Shape, load: Load, options: Options, machine: Machine) -> str | None:
    """What to do where memory does not suffice; `None` where it does."""
    needed = forecast_of(shape, load, options, machine).memory_bytes
    if needed <= machine.memory:
        return None
    few = replace(load, widest=load.longest, widest_learnt=min(load.longest, load.widest_learnt))
    least = memory_of(shape, few, options, machine.precision, options.checkpointing is not False)
    advice = [] if options.lora else ["train a LoRA (lora=16)"]
    if options.checkpointing is False:
        advice.append("allow checkpointing")
    if least <= machine.memory and load.widest > load.longest:
        fewer = max(load.longest, options.micro_tokens // 4)
        advice.append(f"send fewer tokens through the model at once (micro_tokens={fewer})")
    elif load.longest > _LONG:
        advice.append(f"shorten the longest examples ({load.longest:,} tokens)")
    if machine.precision == "fp32" and options.precision == "fp32":
        advice.append("use precision='bf16'")
    advice.append("take a smaller base, or a machine with more memory")
    where = "The GPU" if machine.device == "cuda" else "This machine"
    return (
        f"{where} has {machine.memory / 1e9:.1f} GB free, but the training needs about {needed / 1e9:.1f} "
        f"GB. Either {'; or '.join(advice)}."
    )
