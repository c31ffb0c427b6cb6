"""Examples from rows of one's own: lists, CSV, JSON, JSON Lines, Parquet and data frames.

Every reader is told which fields are inputs, and names the place of a row that does not fit.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.data.example import Example
from telic.errors import DataError


def from_records(
    rows: Iterable[Mapping[str, Any]], inputs: Sequence[str], fields: Sequence[str] | None = None
) -> list[Example]:
    """Examples from mappings.

    Args:
        rows: the data.
        inputs: names of the fields that are inputs of the program.
        fields: the fields to keep, inputs among them; all by default.

    Raises:
        DataError: `inputs` is empty or not a list of names, or a row lacks a field that was asked for.
    """
    return _examples(((f"row {number}", row) for number, row in enumerate(rows)), inputs, fields)


def from_csv(
    path: str | Path, inputs: Sequence[str], fields: Sequence[str] | None = None, *, delimiter: str = ","
) -> list[Example]:
    """Examples from a CSV file with a header line; every value is text.

    Raises:
        DataError: the file is missing or not UTF-8, or a line has not as many cells as the header.
    """
    return _examples(csv_rows(Path(path), delimiter), inputs, fields)


def from_json(path: str | Path, inputs: Sequence[str], fields: Sequence[str] | None = None) -> list[Example]:
    """Examples from a file of JSON objects: one a line (`.jsonl`), or one list of them; `.gz` is unpacked.

    Raises:
        DataError: the file is missing or not JSON, or a row is not an object; the line is named.
    """
    return _examples(json_rows(Path(path)), inputs, fields)


from_jsonl = from_json


def from_parquet(
    path: str | Path, inputs: Sequence[str], fields: Sequence[str] | None = None
) -> list[Example]:
    """Examples from a Parquet file (needs the extra `hub`)."""
    return from_records(parquet_rows(Path(path)), inputs, fields)


def from_pandas(frame: Any, inputs: Sequence[str], fields: Sequence[str] | None = None) -> list[Example]:
    """Examples from a pandas data frame, one a row."""
    return from_records(frame.to_dict(orient="records"), inputs, fields)


def json_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`(place, object)` of a file of JSON objects."""
    text = read_text(path)
    if text.lstrip()[:1] == "[":
        for number, row in enumerate(_parsed(text, path.name)):
            yield f"row {number} of {path.name}", row
        return
    # Not `splitlines`: JSON allows characters inside a text that it takes for line ends.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            place = f"line {number} of {path.name}"
            yield place, _parsed(line, place)


def read_text(path: Path, errors: str = "strict") -> str:
    """The text of a file, unpacked where its name ends in `.gz`.

    Raises:
        DataError: it is missing, or not UTF-8.
    """
    import gzip

    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig", errors)
    except FileNotFoundError:
        raise DataError(f"There is no data file '{path}'.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"The data file '{path}' is not UTF-8 at byte {error.start}.") from None
    except (OSError, EOFError) as error:
        raise DataError(f"The data file '{path}' cannot be read: {error}") from error


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file; numbers that stand for class labels are turned into their names."""
    parquet = require("pyarrow.parquet", extra="hub", purpose="reading Parquet files")
    table = parquet.read_table(path)
    rows: list[dict[str, Any]] = table.to_pylist()
    notes = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    for name, feature in notes.get("info", {}).get("features", {}).items():
        names = feature.get("names") if isinstance(feature, dict) else None
        if names:
            for row in rows:
                number = row[name]
                row[name] = names[number] if isinstance(number, int) and 0 <= number < len(names) else None
    return rows


def csv_rows(path: Path, delimiter: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`(place, row)` of a CSV file with a header line.

    Raises:
        DataError: it is empty, or a line has not as many cells as the header.
    """
    import io

    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter)
    header = next(reader, None)
    if not header:
        raise DataError(f"The CSV file '{path}' is empty: its first line should name the columns.")
    for cells in reader:
        place = f"line {reader.line_num} of {path.name}"
        if not cells:
            continue
        if len(cells) != len(header):
            raise DataError(
                f"The data has a bad row: {place} has {len(cells)} cells, the header {len(header)}."
            )
        yield place, dict(zip(header, cells, strict=True))


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"The data has a bad row: {place} is not JSON ({error}).") from None


def _examples(
    rows: Iterable[tuple[str, Mapping[str, Any]]], inputs: Sequence[str], fields: Sequence[str] | None
) -> list[Example]:
    if isinstance(inputs, str) or not inputs:
        raise DataError(f"inputs={inputs!r} must be a list of field names, such as ['question'].")
    kept = None if fields is None else list(fields)
    wanted = [*inputs, *(kept or ())]
    made = []
    for place, row in rows:
        if not isinstance(row, Mapping):
            raise DataError(
                f"The data has a bad row: {place} is a {type(row).__name__}, not a mapping of fields."
            )
        lacking = [name for name in wanted if name not in row]
        if lacking:
            raise DataError(f"The data has a bad row: {place} lacks {lacking}; it has {list(row)}.")
        values = dict(row) if kept is None else {name: row[name] for name in dict.fromkeys(wanted)}
        made.append(Example(values).with_inputs(*inputs))
    return made
