"""Fetching a data set from where it lives, and cutting it into our splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from telic._json import canonical
from telic._lazy import require
from telic.datasets.records import parquet_rows, read_text
from telic.datasets.spec import Hub, Spec, Web
from telic.errors import DataError
from telic.store.home import home

_TENTHS = 10
_TIMEOUT = 60.0


def fetch(spec: Spec, split: str) -> list[Mapping[str, Any]]:
    """Rows of a split, in our fields.

    What the original does not divide is divided here, by a hash of each row: one tenth of its train split is
    our `dev`, and another our `test` where it has none.

    Raises:
        DataError: it cannot be reached.
        MissingExtraError: it lives on the hub, and the extra `hub` is not installed.
    """
    assert spec.home is not None
    cut = [name for name in ("dev", "test") if name not in spec.home.splits]
    theirs = split if split in spec.home.splits else "train"
    rows = []
    for row in _original(spec.name, spec.home, theirs):
        if theirs != "train" or _part(row, cut) == split:
            shaped = spec.home.shape(row)
            if shaped is not None:
                rows.append(shaped)
    return [{"id": f"{spec.name}-{split}-{number}", **row} for number, row in enumerate(rows)]


def _part(row: Mapping[str, Any], cut: list[str]) -> str:
    """Which of our splits a row of their train split goes to."""
    tenth = blake2b(canonical(row).encode(), digest_size=4).digest()[0] % _TENTHS
    return cut[tenth] if tenth < len(cut) else "train"


def _original(name: str, where: Hub | Web, split: str) -> Iterable[Mapping[str, Any]]:
    if isinstance(where, Hub):
        for file in hub_files(where.repo, where.config, where.splits[split]):
            yield from parquet_rows(file)
    else:
        for address in where.splits[split]:
            yield from where.read(read_text(_downloaded(name, address), where.errors))


def hub_files(repo: str, config: str, split: str) -> list[Path]:
    """The Parquet files of a split of a data set on the hub, fetched once (needs the extra `hub`).

    Raises:
        DataError: the hub does not have it, or cannot be reached.
    """
    hub = require("huggingface_hub", extra="hub", purpose="data sets of the hub")
    errors = require("huggingface_hub.errors", extra="hub", purpose="data sets of the hub")
    try:
        # The hub keeps every public data set as Parquet on this branch, as <config>/<split>/<number>.parquet.
        folder = hub.snapshot_download(
            repo,
            repo_type="dataset",
            revision="refs/convert/parquet",
            allow_patterns=f"{config}/{split}/*.parquet",
        )
    except (OSError, ValueError, errors.HfHubHTTPError) as error:
        raise DataError(f"The data set '{repo}' cannot be fetched from the hub: {error}") from error
    files = sorted(Path(folder, config, split).glob("*.parquet"))
    if not files:
        raise DataError(f"The data set '{repo}' has no split '{split}' of '{config}' on the hub.")
    return files


def _downloaded(name: str, address: str) -> Path:
    """A file of the web, kept under `TELIC_HOME`."""
    import os
    from urllib.error import URLError
    from urllib.request import urlopen

    target = home() / "datasets" / name / address.rpartition("/")[2]
    if target.is_file():
        return target
    try:
        with urlopen(address, timeout=_TIMEOUT) as answer:
            content = answer.read()
    except (URLError, TimeoutError, OSError) as error:
        raise DataError(
            f"The data set '{name}' cannot be fetched from {address}: {error}. Without a connection, set "
            f"TELIC_DATA to a folder that holds '{name}/train.jsonl', 'dev.jsonl' and 'test.jsonl'."
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(target)
    return target
