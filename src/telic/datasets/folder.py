"""The data folder: where sets lie as `<name>/<split>.jsonl`."""

from __future__ import annotations

import os
from pathlib import Path

from telic.datasets.spec import Spec
from telic.errors import DataError


def data_folder() -> Path | None:
    """The folder that `TELIC_DATA` names, else `../shared/data` beside the project or the working directory.

    Raises:
        DataError: `TELIC_DATA` names no folder.
    """
    named = os.environ.get("TELIC_DATA")
    if named:
        folder = Path(named).expanduser()
        if not folder.is_dir():
            raise DataError(f"TELIC_DATA is '{named}', which is not a folder.")
        return folder
    project = Path(__file__).resolve().parents[3]
    for place in (project, Path.cwd()):
        folder = place.parent / "shared" / "data"
        if folder.is_dir():
            return folder
    return None


def split_file(spec: Spec, split: str) -> Path | None:
    """The file of a split, packed or not; `None` where the folder does not have the set.

    Raises:
        DataError: the folder has the set, but not the split.
    """
    folder = data_folder()
    if folder is None or not (folder / spec.name).is_dir():
        return None
    for ending in (".jsonl", ".jsonl.gz"):
        file = folder / spec.name / f"{split}{ending}"
        if file.is_file():
            return file
    raise DataError(f"The data folder has '{spec.name}', but no '{split}.jsonl': {folder / spec.name}.")


def file_of(spec: Spec, file: str) -> Path:
    """A file of a set in the data folder.

    Raises:
        DataError: it is not there.
    """
    folder = data_folder()
    if folder is None or not (folder / spec.name / file).is_file():
        raise not_found(spec, file)
    return folder / spec.name / file


def not_found(spec: Spec, file: str | None = None) -> DataError:
    """What to say of a set that is in no folder and cannot be fetched."""
    folder = data_folder()
    looked = f"the data folder '{folder}' does not have it" if folder else "TELIC_DATA is not set"
    what = f"'{file}' of '{spec.name}'" if file else f"'{spec.name}'"
    wanted = f"'{spec.name}/train.jsonl', 'dev.jsonl' and 'test.jsonl'"
    return DataError(
        f"The data {what} is not here: {looked}, and it cannot be fetched by itself. Get it from "
        f"{spec.source}, and set TELIC_DATA to a folder that holds {wanted}."
    )
