"""Causal models in training: loaded, given a LoRA or not, and their loss on the answers' tokens alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.local.batches import split
from telic.finetune.local.loop import Measured
from telic.finetune.local.options import Options
from telic.finetune.local.precision import Machine
from telic.finetune.local.tokens import Row

_PURPOSE = "training on this machine"


class CausalTask:
    """A causal model and its rows; see `loop.Task`.

    Args:
        folder: of the transformers model.
        rows: to train on.
        validation: to measure on; may be empty.
        options: how.
        machine: on what.
        pad: the token that fills up.
        checkpointing: compute activations again on the way back.
        start: folder of a model trained before (a LoRA's, or a whole model's), to go on from.
    """

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Row],
        validation: Sequence[Row],
        options: Options,
        machine: Machine,
        pad: int = 0,
        checkpointing: bool = False,
        start: Path | None = None,
    ) -> None:
        self._torch = require("torch", extra="finetune", purpose=_PURPOSE)
        self._rows, self._validation, self._options = rows, validation, options
        self._machine, self._pad = machine, pad
        self.lengths: Sequence[int] = [len(row) for row in rows]
        self.learnt: Sequence[int] = [row.learnt for row in rows]
        self._torch.manual_seed(options.seed)
        self.model = self._loaded(folder, start).to(machine.device)
        if checkpointing:
            model = self.model.get_base_model() if options.lora else self.model
            # The second is the older name of the first.
            enable = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
            enable({"use_reentrant": False})
        self.model.train()
        self.weights: Mapping[str, Any] = {
            name: weight for name, weight in self.model.named_parameters() if weight.requires_grad
        }

    def loss(self, part: Sequence[int]) -> Any:
        """Sum over the learnt tokens of minus the log-probability, each times its example's weight."""
        rows = [self._rows[at] for at in part]
        logits, wanted = self._answers(rows)
        each = self._torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
        weights = self._torch.tensor(
            [row.weight for row in rows for _ in range(row.learnt)], device=each.device
        )
        return (each * weights).sum()

    def measure(self) -> Measured | None:
        """Loss and exact answers on the validation rows."""
        if not self._validation:
            return None
        lengths = [len(row) for row in self._validation]
        total = exact = 0.0
        self.model.eval()
        with self._torch.no_grad():
            for part in split(range(len(lengths)), lengths, self._options.micro_tokens):
                rows = [self._validation[at] for at in part]
                logits, wanted = self._answers(rows)
                total += float(self._torch.nn.functional.cross_entropy(logits, wanted, reduction="sum"))
                right = (logits.argmax(-1) == wanted).split([row.learnt for row in rows])
                exact += sum(bool(one.all()) for one in right)
        self.model.train()
        return Measured(total / sum(row.learnt for row in self._validation), exact / len(lengths))

    def save(self, folder: Path) -> None:
        """Write what was trained, as transformers and peft read it: a LoRA, or the whole model."""
        if not self._options.lora:
            self.model.to(self._torch.float16)
        self.model.save_pretrained(folder, safe_serialization=True)

    def _answers(self, rows: Sequence[Row]) -> tuple[Any, Any]:
        """Logits of each learnt token, shape (tokens, vocabulary), float32, and the tokens, row after row.

        The vocabulary's width is what costs memory, so logits are made only where something is learnt.
        """
        ids, mask, places = self._padded(rows)
        model = self.model.get_base_model() if self._options.lora else self.model
        bf16 = self._machine.precision == "bf16"
        with self._torch.autocast(self._machine.device, dtype=self._torch.bfloat16, enabled=bf16):
            hidden = model.get_decoder()(
                input_ids=ids, attention_mask=mask, use_cache=False
            ).last_hidden_state
            logits = model.get_output_embeddings()(hidden.flatten(0, 1)[places]).float()
        soft = getattr(model.config, "final_logit_softcapping", None)
        if soft:
            logits = soft * self._torch.tanh(logits / soft)
        # The token at a place is told by the logits of the place before it.
        return logits, ids.flatten()[places + 1]

    def _padded(self, rows: Sequence[Row]) -> tuple[Any, Any, Any]:
        longest = max(map(len, rows))
        filled = [[*row.ids, *[self._pad] * (longest - len(row))] for row in rows]
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
        places = [
            number * longest + at - 1 for number, row in enumerate(rows) for at in range(row.start, len(row))
        ]
        device = self._machine.device
        return tuple(self._torch.tensor(one, device=device) for one in (filled, mask, places))

    def _loaded(self, folder: Path, start: Path | None) -> Any:
        transformers = require("transformers", extra="finetune", purpose=_PURPOSE)
        whole = start if start is not None and not self._options.lora else folder
        half = self._machine.precision == "bf16" and self._options.lora
        kind = self._torch.bfloat16 if half else self._torch.float32
        model = transformers.AutoModelForCausalLM.from_pretrained(
            whole, dtype=kind, attn_implementation="sdpa"
        )
        if not self._options.lora:
            return model
        peft = require("peft", extra="finetune", purpose=_PURPOSE)
        if start is None:
            return peft.get_peft_model(model, _lora(peft, self._options))
        if not (start / "adapter_config.json").is_file():
            raise TrainingError(f"{start} holds no LoRA to go on from. Train with lora=False, or start anew.")
        return peft.PeftModel.from_pretrained(model, start, is_trainable=True)


def _lora(peft: Any, options: Options) -> Any:
    return peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=options.lora,
        lora_alpha=options.scale_alpha,
        lora_dropout=options.dropout,
        target_modules="all-linear",
    )
