"""Collections of passages as files: JSON Lines, CSV, TSV, folders of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from telic.datasets.records import csv_rows, json_rows, read_text
from telic.errors import DataError
from telic.retrieval.passage import Passage

_TEXTS = (".txt", ".md", ".rst", ".text")
_FORMS = (
    "JSON Lines (.jsonl, .json), CSV (.csv), TSV (.tsv), any of them with .gz, or a folder of .txt and .md"
)


def read_corpus(
    sources: Sequence[Path], *, text: Sequence[str] = ("text",), identity: str = "id"
) -> Iterator[Passage]:
    """The passages of files and folders, one after the other.

    Args:
        sources: files of rows, or folders whose text files are a passage each, with their path as id.
        text: the fields that make the text, joined by ` | `.
        identity: the field that is the id; rows without it are numbered through.

    Raises:
        DataError: a file cannot be read, or a row lacks a field; says which and where.
    """
    count = 0
    for source in sources:
        for passage in _folder(source) if source.is_dir() else _file(source, text, identity, count):
            yield passage
            count += 1


def _folder(folder: Path) -> Iterator[Passage]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _TEXTS and path.is_file())
    if not files:
        raise DataError(f"The folder '{folder}' has no text files ({', '.join(_TEXTS)}).")
    for file in files:
        yield Passage(file.relative_to(folder).as_posix(), read_text(file), metadata={"file": str(file)})


def _file(file: Path, text: Sequence[str], identity: str, first: int) -> Iterator[Passage]:
    for number, (place, row) in enumerate(_rows(file), first):
        missing = [name for name in text if name not in row]
        if missing:
            raise DataError(
                f"{place.capitalize()} has no field '{missing[0]}'; it has {', '.join(row)}. Say which "
                "fields make the text: --text title --text body."
            )
        words = " | ".join(_joined(row[name]) for name in text if row[name] is not None)
        own = row.get(identity)
        given = row.get("metadata")
        rest = {name: value for name, value in row.items() if name not in {*text, identity, "metadata"}}
        metadata = {**rest, **(given if isinstance(given, Mapping) else {})}
        yield Passage(str(number if own is None else own), words, metadata=metadata)


def _joined(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    form = Path(file.stem).suffix if file.suffix == ".gz" else file.suffix
    if form in (".jsonl", ".json", ".ndjson"):
        return json_rows(file)
    if form in (".csv", ".tsv"):
        return csv_rows(file, "," if form == ".csv" else "\t")
    if form in _TEXTS and file.is_file():
        return iter([(file.name, {"id": file.name, "text": read_text(file)})])
    if not file.exists():
        raise DataError(f"There is no file or folder '{file}'.")
    raise DataError(f"'{file}' is of no form that is read here: {_FORMS}.")
