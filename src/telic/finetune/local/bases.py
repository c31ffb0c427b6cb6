"""What is trained: a model by its name, on this machine, in the form that transformers loads."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.errors import ModelWeightsError, TrainingError
from telic.finetune.export.from_gguf import transformers_folder
from telic.finetune.export.gguf_vocabulary import chat_template
from telic.lm.weights.catalogue import CATALOGUE
from telic.lm.weights.facts import facts, sha256
from telic.lm.weights.folder import folder as weights_folder, resolve, short_name
from telic.store.home import home


@dataclass(frozen=True)
class Base:
    """A base model.

    Attributes:
        name: as it was given.
        folder: its transformers form.
        gguf: the file it is served from; `None` where it was given as a folder.
        licence: of its weights, where that is known.
    """

    name: str
    folder: Path
    gguf: Path | None
    licence: str | None

    @cached_property
    def sha256(self) -> str:
        """Of the GGUF file, else of all weight files of the folder."""
        if self.gguf is not None:
            return facts(self.gguf, weights_folder()).sha256
        files = sorted(self.folder.glob("model*.safetensors"))
        return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()

    @cached_property
    def config(self) -> dict[str, Any]:
        """The contents of `config.json`."""
        found: dict[str, Any] = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        return found

    @property
    def window(self) -> int:
        """Tokens it was trained for; 0 where that is not told."""
        return int(self.config.get("max_position_embeddings") or 0)

    @property
    def chats(self) -> bool:
        """It has a chat template."""
        return bool(chat_template(self.folder))


def find_base(model: str) -> Base:
    """The base that a name stands for; converted at the first call where it is a GGUF file.

    Args:
        model: `local/` and a name of `telic models list`, the path of a GGUF file, or the folder of a
            transformers model (with a slash in it: `local/./tuned`); `hub/` and the name of a model
            hub's repository.

    Raises:
        TrainingError: there is no such folder, it lacks files, or its family is not known.
        ModelWeightsError: there is no such GGUF file.
        MissingExtraError: without the extra `finetune` (or `hub`).
    """
    if model.startswith("hub/"):
        return _of_folder(model, _from_hub(model.removeprefix("hub/")))
    short = short_name(model)
    # A name alone is of the weights folder, whatever lies in the working directory.
    if re.search(r"[/\\]|^[.~]", short) and Path(short).expanduser().is_dir():
        return _of_folder(model, Path(short).expanduser().absolute())
    from telic.lm.weights.pull import pull

    try:
        path = resolve(short, fetch=pull)
    except ModelWeightsError as error:
        raise ModelWeightsError(
            f"{model} cannot be trained here: {error.message} A transformers model's folder is a base too.",
            model=model,
        ) from error
    folder = transformers_folder(path)
    known = CATALOGUE.get(short)
    source = json.loads((folder / "telic_source.json").read_text(encoding="utf-8"))
    return Base(model, folder, path, known.licence if known else source.get("licence"))


def _of_folder(model: str, folder: Path) -> Base:
    needed = ("config.json", "tokenizer.json", "model*.safetensors")
    if missing := [name for name in needed if not list(folder.glob(name))]:
        raise TrainingError(f"{folder} is not the folder of a model: it has no {', '.join(missing)}.")
    return Base(model, folder, None, _licence(folder))


def _licence(folder: Path) -> str | None:
    """The licence that the folder's model card names."""
    card = folder / "README.md"
    lines = card.read_text(encoding="utf-8").splitlines() if card.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines[:40] if line.startswith("license:")]
    return named[0] if named else None


def _from_hub(repository: str) -> Path:
    hub = require("huggingface_hub", extra="hub", purpose="bases from a model hub")
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.jinja", "README.md"]
    target = home() / "cache" / "hub" / repository.replace("/", "--")
    try:
        return Path(hub.snapshot_download(repository, allow_patterns=wanted, local_dir=target))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise TrainingError(f"{repository} could not be fetched: {str(error).splitlines()[0]}") from error
