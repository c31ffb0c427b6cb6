"""From trained weights to a model's folder: safetensors, GGUF, and where it all comes from."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic.finetune.backend import TrainedModel
from telic.finetune.export.adapter import adapter_to_gguf
from telic.finetune.export.to_gguf import folder_to_gguf
from telic.finetune.local.bases import Base
from telic.finetune.local.loop import Fit
from telic.finetune.local.options import Options
from telic.lm.weights.adapters import BASE_HASH, BASE_NAME, FILE, FORMAT
from telic.lm.weights.facts import facts
from telic.lm.weights.folder import folder as weights_folder
from telic.store.home import home

WHOLE = "model.gguf"
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json")
_PACKAGES = ("torch", "transformers", "peft", "gguf")


def export(task: Any, base: Base, folder: Path, options: Options, format: str) -> TrainedModel:
    """Write everything into `folder`, but `provenance.json`. Returns how the model is called."""
    task.save(folder)
    (folder / "README.md").unlink(missing_ok=True)  # a card that peft makes of nothing
    if not options.lora:
        for name in _TOKENIZER:
            if (base.folder / name).is_file():
                shutil.copyfile(base.folder / name, folder / name)
        kind = options.merge or "F16"
        path = folder_to_gguf(
            folder, folder / WHOLE, kind=kind, like=base.gguf, provenance=_marks(base, format)
        )
        return TrainedModel(f"local/{path}", {"adapter": None}, folder)
    served = served_base(base)
    marks = {**_marks(base, format), BASE_HASH: facts(served, weights_folder()).sha256}
    adapter_to_gguf(folder, base.folder, folder / FILE, provenance=marks)
    if options.merge:
        target = folder / WHOLE
        folder_to_gguf(
            base.folder, target, kind=options.merge, adapter=folder, like=base.gguf, provenance=marks
        )
    name = base.name if base.gguf is not None else f"local/{served}"
    return TrainedModel(name, {"adapter": str(folder)}, folder)


def served_base(base: Base) -> Path:
    """The GGUF file that a base is served from; made once, as F16, of one that came as a folder."""
    if base.gguf is not None:
        return base.gguf
    path = home() / "cache" / "gguf" / f"{base.sha256[:32]}.gguf"
    return path if path.is_file() else folder_to_gguf(base.folder, path, kind="F16")


def provenance(base: Base, fit: Fit, rate: float, precision: str, seconds: float) -> dict[str, Any]:
    """What this machine knows of how a model was made, besides what the spec tells."""
    looks = [fit.looks[step] for step in sorted(fit.looks)]
    chosen = min(fit.looks, key=lambda step: fit.looks[step].loss) if looks else fit.step
    measured: Mapping[str, Any] = {}
    if looks:
        best = fit.looks[chosen]
        measured = {
            "before": {"loss": looks[0].loss, "exact": looks[0].exact},
            "after": {"loss": best.loss, "exact": best.exact},
        }
    return {
        "base_sha256": base.sha256,
        "licence": base.licence,
        "learning_rate": rate,
        "precision": precision,
        "steps": fit.step,
        "chosen_step": chosen,
        "training_loss": {"first": fit.losses[0], "last": fit.losses[-1]} if fit.losses else None,
        "validation": measured or None,
        "seconds": round(seconds, 1),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def write_provenance(folder: Path, told: Mapping[str, Any]) -> None:
    """Write `provenance.json`; a folder that has it is whole."""
    write_atomic(folder / "provenance.json", dumps(told, indent=1) + "\n")


def _marks(base: Base, format: str) -> dict[str, str]:
    return {BASE_NAME: base.name, FORMAT: "completion" if format == "completion" else "chat"}
