"""A trained model's folder: what it must have, what it must not, and what is noted in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic.errors import TrainingError

PROVENANCE = "provenance.json"
_PICKLES = frozenset({".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt"})


def read_provenance(folder: Path) -> dict[str, Any]:
    """What a model's folder says of where it comes from.

    Raises:
        TrainingError: there is no such folder, or it does not say.
    """
    if not folder.is_dir():
        raise TrainingError(
            f"The trained model's folder is not there: {folder}. A program's file and the folder beside it "
            "(NAME.models) belong together: copy both."
        )
    try:
        row = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{folder} has no readable {PROVENANCE}, so it is no trained model: {error}"
        ) from error
    if not isinstance(row, dict):
        raise TrainingError(f"{folder / PROVENANCE} is not an object.")
    return row


def check_folder(folder: Path, base: str) -> None:
    """Check that a model's folder is whole, and belongs to a base.

    Args:
        folder: the model's own.
        base: the model that it is said to be trained from.

    Raises:
        TrainingError: it is missing, of another base, or has weights as pickles (which run code when they
            are loaded).
    """
    told = read_provenance(folder)
    if told.get("base") not in (None, base):
        raise TrainingError(
            f"The model in {folder} was trained from {told['base']}, and cannot be put on {base}. Restore "
            "the program's file as it was saved, or train again."
        )
    pickles = sorted(path.name for path in folder.rglob("*") if path.suffix in _PICKLES)
    if pickles:
        raise TrainingError(
            f"{folder} holds {', '.join(pickles)}: weights as pickles run code when they are loaded, so only "
            "safetensors and GGUF are taken."
        )


def note_scores(folder: Path, measured: Mapping[str, Any]) -> None:
    """Note in a model's folder how the program did before and after."""
    path = folder / PROVENANCE
    if path.is_file():
        write_atomic(path, dumps({**read_provenance(folder), "measured": dict(measured)}, indent=2) + "\n")
