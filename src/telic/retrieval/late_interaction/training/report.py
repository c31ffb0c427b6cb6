"""What came of the training of an encoder, and the file that tells where a trained encoder comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telic.errors import ModelWeightsError

if TYPE_CHECKING:
    from telic.retrieval.late_interaction.encoder.encoder import Encoder

RECORD = "training.json"


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """A training that is done.

    Attributes:
        folder: of the trained encoder; `Encoder.load` opens it.
        steps: that were made.
        losses: of each step.
        scores: of the validations: step and MRR; step 0 is before the training.
        best: step whose weights were kept: of the best validation, or the last without one.
        seconds: of learning, all processes together.
        provenance: base, data, settings and licence, as `training.json` in the folder has them.
    """

    folder: Path
    steps: int
    losses: tuple[float, ...]
    scores: tuple[tuple[int, float], ...]
    best: int
    seconds: float
    provenance: Mapping[str, Any]

    @property
    def mrr_before(self) -> float | None:
        """MRR of the base on the validation set; `None` without one."""
        return self.scores[0][1] if self.scores else None

    @property
    def mrr_after(self) -> float | None:
        """MRR of what was kept; `None` without a validation set."""
        return dict(self.scores)[self.best] if self.scores else None

    @property
    def encoder(self) -> Encoder:
        """The trained encoder."""
        from telic.retrieval.late_interaction.encoder.encoder import Encoder

        return Encoder.load(self.folder)

    def to_json(self) -> dict[str, Any]:
        """The record that lies in the folder."""
        told = {name: value for name, value in asdict(self).items() if name not in ("folder", "provenance")}
        return {
            **self.provenance,
            "mrr_before": self.mrr_before,
            "mrr_after": self.mrr_after,
            "training": told,
        }

    @classmethod
    def read(cls, folder: Path) -> TrainingReport | None:
        """The report that a folder holds; `None` where it holds no trained encoder.

        Raises:
            ModelWeightsError: the record is damaged.
        """
        file = folder / RECORD
        try:
            row = json.loads(file.read_text(encoding="utf-8"))
            told = row.pop("training")
            scores = tuple((step, score) for step, score in told.pop("scores"))
            losses = tuple(told.pop("losses"))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ModelWeightsError(f"'{file}' is not the record of a training: {error}.") from error
        provenance = {name: value for name, value in row.items() if name not in ("mrr_before", "mrr_after")}
        return cls(folder=folder, losses=losses, scores=scores, provenance=provenance, **told)

    def __str__(self) -> str:
        mrr = "" if self.mrr_before is None else f", MRR {self.mrr_before:.3f} -> {self.mrr_after:.3f}"
        loss = f"{self.losses[0]:.3f} -> {self.losses[-1]:.3f}" if self.losses else "none"
        return (
            f"{self.steps} steps in {self.seconds / 60:.1f} minutes, loss {loss}{mrr}; kept step "
            f"{self.best}: {self.folder}"
        )
