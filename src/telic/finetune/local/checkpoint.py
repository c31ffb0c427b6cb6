"""Where a training stands, on disk: tensors as safetensors, numbers as JSON, never a pickle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telic._json import dumps
from telic._lazy import require

_TENSORS, _STATE = "state.safetensors", "state.json"
_MOMENTS = ("exp_avg", "exp_avg_sq")


def save(
    folder: Path, step: int, weights: Mapping[str, Any], optimizer: Any, state: Mapping[str, Any]
) -> None:
    """Write a checkpoint; the one before it is removed when this one is whole.

    Args:
        folder: of all checkpoints.
        step: steps done.
        weights: what is trained, by name.
        optimizer: AdamW over these, in this order.
        state: what else there is to know, JSON.
    """
    files = require("safetensors.torch", extra="finetune", purpose="training")
    tensors = {f"weight.{name}": weight.detach().contiguous() for name, weight in weights.items()}
    for name, weight in weights.items():
        for moment in _MOMENTS:
            if moment in optimizer.state[weight]:
                tensors[f"{moment}.{name}"] = optimizer.state[weight][moment].contiguous()
    scratch, target = folder / ".new", folder / f"step-{step:07d}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    files.save_file(tensors, scratch / _TENSORS)
    (scratch / _STATE).write_text(dumps({"step": step, **state}), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    scratch.replace(target)
    for old in _all(folder)[:-1]:
        shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, weights: Mapping[str, Any], optimizer: Any) -> dict[str, Any] | None:
    """Put the latest checkpoint back into weights and optimiser; returns its state, `None` without one."""
    found = _all(folder)
    if not found:
        return None
    files = require("safetensors.torch", extra="finetune", purpose="training")
    torch = require("torch", extra="finetune", purpose="training")
    tensors = files.load_file(found[-1] / _TENSORS)
    state: dict[str, Any] = json.loads((found[-1] / _STATE).read_text(encoding="utf-8"))
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(tensors[f"weight.{name}"])
            moments = {moment: tensors[f"{moment}.{name}"].to(weight.device) for moment in _MOMENTS}
            optimizer.state[weight] = {"step": torch.tensor(float(state["step"])), **moments}
    return state


def keep(path: Path, weights: Mapping[str, Any]) -> None:
    """Write weights alone, in place of what was there."""
    files = require("safetensors.torch", extra="finetune", purpose="training")
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}")
    files.save_file({name: weight.detach().contiguous() for name, weight in weights.items()}, scratch)
    scratch.replace(path)


def put_back(path: Path, weights: Mapping[str, Any]) -> None:
    """The inverse of `keep`."""
    files = require("safetensors.torch", extra="finetune", purpose="training")
    torch = require("torch", extra="finetune", purpose="training")
    kept = files.load_file(path)
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(kept[name])


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*") if (path / _STATE).is_file())
