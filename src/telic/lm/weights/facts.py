"""What is known of a weights file: its hash and what its head says, remembered by size and time of change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from telic._json import stable_hash, write_atomic
from telic.errors import ModelWeightsError
from telic.lm.weights.gguf import read_head

_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What a weights file is.

    Attributes:
        sha256: of its bytes.
        architecture: the family of the model, as llama.cpp names it.
        chat: it has a chat template.
        context_window: tokens it was trained for; 0 where it does not say.
    """

    sha256: str
    architecture: str
    chat: bool
    context_window: int


def facts(path: Path, folder: Path) -> Facts:
    """The facts of `path`, hashed once and then remembered under `folder` until the file changes.

    Raises:
        ModelWeightsError: it is missing, or not a readable GGUF file.
    """
    stamp = _stamp(path)
    note = folder / ".facts" / f"{stable_hash(str(path))[:24]}.json"
    try:
        row = json.loads(note.read_text(encoding="utf-8"))
        if row.pop("stamp") == stamp:
            return Facts(**row)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass  # no note, or one of an older version: look at the file itself
    return remember(path, folder, sha256(path))


def remember(path: Path, folder: Path, digest: str) -> Facts:
    """Read the head of `path` and note its facts; `digest` is its SHA-256, already computed."""
    head = read_head(path)
    architecture = str(head.get("general.architecture", ""))
    found = Facts(
        digest,
        architecture,
        "tokenizer.chat_template" in head,
        int(head.get(f"{architecture}.context_length", 0)),
    )
    note = folder / ".facts" / f"{stable_hash(str(path))[:24]}.json"
    try:
        write_atomic(note, json.dumps({"path": str(path), "stamp": _stamp(path), **asdict(found)}))
    except OSError:
        return found  # a folder that cannot be written only costs the next start a second
    return found


def forget(path: Path, folder: Path) -> None:
    """Drop the note of a file that is gone."""
    (folder / ".facts" / f"{stable_hash(str(path))[:24]}.json").unlink(missing_ok=True)


def sha256(path: Path, told: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file; `told` hears the bytes of each block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(4 * _MEGABYTE):
            digest.update(block)
            if told is not None:
                told(len(block))
    return digest.hexdigest()


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError as error:
        raise ModelWeightsError(
            f"There is no weights file {path} ({error.strerror}). Give the path of a GGUF file, as in "
            f"LM('local/models/my-model.gguf'), or see `telic models list`."
        ) from error
    return [status.st_size, status.st_mtime_ns]
