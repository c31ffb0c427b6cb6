"""The weights folder: what is in it, what a name means, adding and removing."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from telic.errors import ModelWeightsError
from telic.lm.weights.catalogue import CATALOGUE, Weights
from telic.lm.weights.facts import facts, forget, sha256
from telic.lm.weights.gguf import read_head
from telic.store.home import home

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose weights are on this machine.

    Attributes:
        name: as in `LM("local/{name}")`.
        path: the file.
        size: in bytes.
        licence: short name, where the catalogue knows it.
    """

    name: str
    path: Path
    size: int
    licence: str | None


def folder() -> Path:
    """Where weights are kept: `models` under `TELIC_HOME`. Not created here."""
    return home() / "models"


def installed() -> list[Installed]:
    """The models in the weights folder, by name."""
    found = []
    for path in sorted(folder().glob("*.gguf")):
        known = CATALOGUE.get(path.stem)
        found.append(Installed(path.stem, path, path.stat().st_size, known.licence if known else None))
    for known in CATALOGUE.values():
        if known.files and (folder() / known.file).is_dir():
            found.append(Installed(known.name, folder() / known.file, known.size, known.licence))
    return sorted(found, key=lambda one: one.name)


def short_name(model: str) -> str:
    """`"local/x"` and `"x"` are the same model."""
    return model.removeprefix("local/")


def locate(model: str) -> Path:
    """Where the weights of `model` are, or would be: a file of the folder, or the path that the name is.

    Args:
        model: a name, or a path that ends in `.gguf`; `local/` in front is ignored.
    """
    name = short_name(model)
    if name.lower().endswith(".gguf"):
        return Path(name).expanduser().absolute()
    if not _NAME.fullmatch(name):
        raise ModelWeightsError(
            f"'{model}' is neither the name of local weights nor a path that ends in '.gguf'. {known_names()}"
        )
    return folder() / f"{name}.gguf"


def known_names() -> str:
    """A sentence that lists the language models that can be asked for."""
    names = {*CATALOGUE, *(one.name for one in installed())} - {n for n, w in CATALOGUE.items() if w.files}
    return f"Known names: {', '.join(sorted(names))}; or LM('local/<path>.gguf')."


def resolve(model: str, fetch: Callable[[str], Path] | None = None) -> Path:
    """The weights file of `model`, checked.

    Args:
        model: `"local/smollm2-135m"`, `"local/<path>.gguf"`, or either without `local/`.
        fetch: called with the short name when the catalogue knows it and the file is not here.

    Raises:
        ModelWeightsError: missing, damaged, or not GGUF.
    """
    name, path = short_name(model), locate(model)
    known = CATALOGUE.get(name)
    if known is not None and known.files:
        raise ModelWeightsError(
            f"'{name}' is an encoder, which gives vectors and no answers: use it as "
            f"telic.retrieval.Encoder.load('{name}'). {known_names()}",
            model=f"local/{name}",
        )
    if not path.is_file():
        if known is None:
            hint = (
                f"There is no file {path}." if name.endswith(".gguf") else f"No weights are named '{name}'."
            )
            raise ModelWeightsError(
                f"{hint} {known_names()} Add a file with: telic models add <path>", model=f"local/{name}"
            )
        if fetch is None:
            raise ModelWeightsError(
                f"The weights of '{name}' are not on this machine. Get them with: telic models pull {name}",
                model=f"local/{name}",
            )
        return fetch(name)
    if known is not None and facts(path, folder()).sha256 != known.sha256:
        raise ModelWeightsError(
            f"{path} is damaged: it is not the file that '{name}' stands for (SHA-256 differs). "
            f"Get it again with: telic models rm {name} && telic models pull {name}",
            model=f"local/{name}",
        )
    return path


def resolve_folder(model: str, fetch: Callable[[str], Path] | None = None) -> Path:
    """The folder of weights of that name of the catalogue, each file checked.

    Args:
        model: `"minilm"`, with or without `local/`.
        fetch: called with the short name when the folder is not here.

    Raises:
        ModelWeightsError: missing or damaged, or these weights are a file.
    """
    name = short_name(model)
    known = CATALOGUE.get(name)
    if known is None or not known.files:
        raise ModelWeightsError(f"'{name}' is not the name of an encoder's weights.", model=f"local/{name}")
    path = folder() / known.file
    if not path.is_dir():
        if fetch is None:
            raise ModelWeightsError(
                f"The weights of '{name}' are not on this machine. Get them with: telic models pull {name}",
                model=f"local/{name}",
            )
        return fetch(name)
    if (wrong := damage(known, path)) is not None:
        raise ModelWeightsError(
            f"{path} is damaged: {wrong}. "
            f"Get it again with: telic models rm {name} && telic models pull {name}",
            model=f"local/{name}",
        )
    return path


def damage(weights: Weights, path: Path) -> str | None:
    """What of the file or folder at `path` is not as the catalogue has it; `None` if all is."""
    if not weights.files:
        return None if sha256(path) == weights.sha256 else "SHA-256 differs"
    for file in weights.files:
        inside = path / file.path
        if not inside.is_file():
            return f"{file.path} is missing"
        if inside.stat().st_size != file.size or sha256(inside) != file.sha256:
            return f"{file.path} has another SHA-256"
    return None


def add(path: str | Path, name: str | None = None) -> Installed:
    """Put a GGUF file into the weights folder under a name (linked where the disk allows, else copied).

    Args:
        path: the file.
        name: lower-case letters, digits, `.`, `_`, `-`; by default from the file's name.

    Raises:
        ModelWeightsError: no such file, not GGUF, the name is taken or not allowed, or it is the name of
            other weights.
    """
    source = Path(path).expanduser().absolute()
    chosen = name or re.sub(r"[^a-z0-9._-]+", "-", source.stem.lower()).strip("-._")
    if not _NAME.fullmatch(chosen) or chosen.endswith(".gguf"):
        raise ModelWeightsError(
            f"'{chosen}' cannot name weights: use lower-case letters, digits, '.', '_', '-'."
        )
    if not source.is_file():
        raise ModelWeightsError(f"There is no file {source}.")
    read_head(source)
    known = CATALOGUE.get(chosen)
    if known is not None and sha256(source) != known.sha256:
        raise ModelWeightsError(
            f"{source} is not the file that '{chosen}' stands for (SHA-256 differs). Choose another name."
        )
    target = folder() / f"{chosen}.gguf"
    if target.exists():
        raise ModelWeightsError(
            f"There already are weights named '{chosen}'. Remove them first: telic models rm {chosen}"
        )
    _place_copy(source, target)
    facts(target, folder())
    return Installed(chosen, target, target.stat().st_size, known.licence if known else None)


def _place_copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    os.close(handle)
    scratch = Path(temporary)
    try:
        scratch.unlink()
        try:
            os.link(source, scratch)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, scratch)
        scratch.replace(target)
    except OSError as error:
        raise ModelWeightsError(
            f"{source} could not be copied to {target.parent}: {error.strerror}."
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def remove(name: str) -> int:
    """Delete the weights of that name; returns the bytes freed.

    Raises:
        ModelWeightsError: there are none of that name in the weights folder.
    """
    short = short_name(name)
    known = CATALOGUE.get(short)
    if known is not None and known.files and (folder() / known.file).is_dir():
        shutil.rmtree(folder() / known.file)
        return known.size
    path = folder() / f"{short}.gguf"
    if not _NAME.fullmatch(short) or not path.is_file():
        here = ", ".join(one.name for one in installed()) or "none"
        raise ModelWeightsError(f"There are no weights named '{short}' on this machine. Here are: {here}.")
    size = path.stat().st_size
    path.unlink()
    forget(path, folder())
    return size
