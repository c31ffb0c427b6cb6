"""A training on disk: weights and moments as safetensors, the rest as JSON. No pickle.

A checkpoint is a folder `step-000100`; it is made under another name and renamed when it is whole, so there
is never half of one. The previous is removed then.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from telic._json import dumps
from telic._lazy import require
from telic.errors import RunMismatchError, StoreError

_STATE = "state.json"


@dataclass(slots=True)
class LearningState:
    """Where a training is, but for its tensors.

    Attributes:
        step: steps that are done.
        losses: of each of them, the mean of its passes.
        scores: validations: step and score.
        best: step of the best validation.
        stopped: it ended before its last step, because nothing got better or a callback said so.
        seconds: of learning so far, all its processes together.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    best: int = 0
    stopped: bool = False
    seconds: float = 0.0

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> LearningState:
        """Read what `asdict` wrote."""
        return cls(**{**row, "scores": [(step, score) for step, score in row["scores"]]})


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one training.

    Attributes:
        folder: where they lie.
        fingerprint: of all that the training depends on: a checkpoint of another one is refused.
    """

    folder: Path
    fingerprint: str

    def write(self, state: LearningState, weights: Mapping[str, Any], moments: Mapping[str, Any]) -> None:
        """Keep all that is needed to go on after `state.step`."""
        safe = require("safetensors.torch", extra="finetune", purpose="checkpoints")
        self.folder.mkdir(parents=True, exist_ok=True)
        row = {"fingerprint": self.fingerprint, "state": asdict(state)}
        target = self.folder / f"step-{state.step:06d}"
        older = [path for path in self._all() if path != target]
        with new_folder(target) as made:
            safe.save_file(
                {name: _flat(value) for name, value in weights.items()}, made / "weights.safetensors"
            )
            safe.save_file(
                {name: _flat(value) for name, value in moments.items()}, made / "moments.safetensors"
            )
            (made / _STATE).write_text(dumps(row, indent=1), encoding="utf-8")
        for path in older:
            shutil.rmtree(path)

    def last(self) -> tuple[LearningState, dict[str, Any], dict[str, Any]] | None:
        """State, weights and moments of the latest checkpoint; `None` where there is none.

        Raises:
            RunMismatchError: it is of a training with other data, settings or base.
            StoreError: it cannot be read.
        """
        found = self._all()
        if not found:
            return None
        safe = require("safetensors.torch", extra="finetune", purpose="checkpoints")
        place = found[-1]
        try:
            row = json.loads((place / _STATE).read_text(encoding="utf-8"))
            self._check(row["fingerprint"])
            weights = safe.load_file(str(place / "weights.safetensors"))
            moments = safe.load_file(str(place / "moments.safetensors"))
        except (OSError, KeyError, json.JSONDecodeError) as error:
            raise StoreError(f"The checkpoint '{place}' cannot be read ({error}). Remove it.") from error
        return LearningState.from_json(row["state"]), weights, moments

    def write_best(self, step: int, weights: Mapping[str, Any]) -> None:
        """Keep the weights of the best validation."""
        safe = require("safetensors.torch", extra="finetune", purpose="checkpoints")
        self.folder.mkdir(parents=True, exist_ok=True)
        made = self.folder / ".best.tmp"
        safe.save_file({name: _flat(value) for name, value in weights.items()}, made, {"step": str(step)})
        os.replace(made, self.folder / "best.safetensors")

    def best(self) -> dict[str, Any]:
        """The weights of the best validation."""
        safe = require("safetensors.torch", extra="finetune", purpose="checkpoints")
        found: dict[str, Any] = safe.load_file(str(self.folder / "best.safetensors"))
        return found

    def remove(self) -> None:
        """Take all of them away: the training is done and written elsewhere."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _all(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("step-*") if (path / _STATE).is_file())

    def _check(self, fingerprint: str) -> None:
        if fingerprint != self.fingerprint:
            raise RunMismatchError(
                f"'{self.folder.parent}' holds an unfinished training with other data, settings or base. "
                "Name another folder, or remove it."
            )


class new_folder:
    """`with new_folder(path) as made:` fills a folder that appears at `path` when whole, or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._made = Path(tempfile.mkdtemp(dir=self._path.parent, prefix=f".{self._path.name}."))
        return self._made

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            shutil.rmtree(self._made)
            return
        self._made.chmod(0o755)
        if self._path.exists():
            shutil.rmtree(self._path)
        os.replace(self._made, self._path)


def _flat(tensor: Any) -> Any:
    return tensor.detach().to("cpu").contiguous()
