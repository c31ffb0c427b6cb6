"""Examples from files of one's own: what is read, and how a bad row is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from telic import datasets
from telic.data import Example
from telic.errors import DataError, MissingExtraError


def test_records() -> None:
    rows = [{"q": 1, "a": 2, "note": "x"}, {"q": 3, "a": 4, "note": "y"}]
    found = datasets.from_records(rows, ["q"], ["a"])
    assert found == [Example(q=1, a=2), Example(q=3, a=4)]
    assert found[0].inputs().keys() == ["q"]
    assert found[0].labels().keys() == ["a"]
    assert datasets.from_records(rows, ["q"])[1].note == "y"


@pytest.mark.parametrize("inputs", [[], "q", ()])
def test_inputs_must_be_named(inputs: Any) -> None:
    with pytest.raises(DataError, match="list of field names"):
        datasets.from_records([{"q": 1}], inputs)


def test_csv(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('\ufeffq,a\n"two\nlines, and a comma",1\n\nß,2\n', encoding="utf-8")
    found = datasets.from_csv(file, ["q"])
    assert [dict(e.items()) for e in found] == [
        {"q": "two\nlines, and a comma", "a": "1"},
        {"q": "ß", "a": "2"},
    ]
    file.write_text("q;a\n1;2\n")
    assert datasets.from_csv(file, ["q"], delimiter=";")[0].a == "2"


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".jsonl.gz"])
def test_json(tmp_path: Path, ending: str) -> None:
    rows = [{"q": "line separator \u2028 inside", "a": [1]}, {"q": "b", "a": []}]
    file = tmp_path / f"a{ending}"
    if ending == ".json":
        file.write_text(json.dumps(rows, indent=2))
    else:
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
        file.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    assert datasets.from_json(file, ["q"]) == [Example(row) for row in rows]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"q": 1}\n{"q": 2\n', r"line 2 of a\.jsonl is not JSON"),
        ("a.jsonl", b'{"q": 1}\n[2]\n', r"line 2 of a\.jsonl is a list"),
        ("a.jsonl", b'{"q": 1}\n\n{"p": 2}\n', r"line 3 of a\.jsonl lacks \['q'\]; it has \['p'\]"),
        ("a.json", b'[{"q": 1}, {"p": 2}]', r"row 1 of a\.json lacks"),
        ("a.json", b'[{"q": 1}', r"a\.json is not JSON"),
        ("a.csv", b"q,a\n1,2\n1,2,3\n", r"line 3 of a\.csv has 3 cells, the header 2"),
        ("a.csv", b"p,a\n1,2\n", r"line 2 of a\.csv lacks \['q'\]"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"q\n\xff\n", "is not UTF-8 at byte 2"),
        ("a.jsonl.gz", b"not packed", "cannot be read"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    read = datasets.from_csv if name.endswith("csv") else datasets.from_json
    with pytest.raises(DataError, match=message):
        read(file, ["q"])


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no data file"):
        datasets.from_csv(tmp_path / "none.csv", ["q"])


def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"q": ["a", "b"], "n": [1, 2]})
    assert datasets.from_pandas(frame, ["q"]) == [Example(q="a", n=1), Example(q="b", n=2)]


def test_parquet(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        with pytest.raises(MissingExtraError, match=r"telic\[hub\]"):
            datasets.from_parquet(file, ["text"])
        return
    features = {"info": {"features": {"label": {"names": ["ham", "spam"], "_type": "ClassLabel"}}}}
    table = pyarrow.table({"text": ["hi", "win"], "label": [0, 1]})
    pyarrow.parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), file)
    assert datasets.from_parquet(file, ["text"]) == [
        Example(text="hi", label="ham"),
        Example(text="win", label="spam"),
    ]
