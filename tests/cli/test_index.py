"""`telic index`, as a user types it."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bm25s")

ROWS = [
    {"id": "ulm", "title": "Ulm", "text": "a city on the Danube", "land": "BW", "n": 1},
    {"id": "bonn", "title": "Bonn", "text": "a city on the Rhine", "land": "NW", "n": 2},
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode()))
    return path


@pytest.fixture
def built(telic: Any, corpus: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    assert telic("index", "build", folder, corpus).exit_code == 0
    return folder


def found(telic: Any, *words: Any) -> list[dict[str, Any]]:
    result = telic("index", "search", *words, "--json")
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_build_and_search(telic: Any, built: Path) -> None:
    assert [row["pid"] for row in found(telic, built, "Rhine")] == ["bonn"]
    result = telic("index", "search", built, "city on the Rhine", "-k", 1)
    assert "1  bonn" in result.stdout
    assert "a city on the Rhine" in result.stdout
    assert telic("index", "search", built, "elephants").stdout == "Nothing was found.\n"


def test_several_fields_make_the_text(telic: Any, corpus: Path, tmp_path: Path) -> None:
    telic("index", "build", tmp_path / "i", corpus, "--text", "title", "--text", "text")
    assert found(telic, tmp_path / "i", "Ulm")[0]["text"] == "Ulm | a city on the Danube"


def test_conditions(telic: Any, built: Path) -> None:
    assert [row["pid"] for row in found(telic, built, "city", "--where", "land=BW")] == ["ulm"]
    assert [row["pid"] for row in found(telic, built, "city", "--where", "n=2")] == ["bonn"]
    assert telic("index", "search", built, "city", "--where", "land").exit_code == 2


def test_add_and_delete(telic: Any, built: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.tsv"
    more.write_text("id\ttext\nkiel\ta port on the Baltic Sea\n")
    assert json.loads(telic("index", "add", built, more, "--json").stdout)["added"] == 1
    assert found(telic, built, "port")[0]["pid"] == "kiel"
    again = telic("index", "add", built, more)
    assert again.exit_code == 1
    assert "'kiel'" in again.output
    assert json.loads(telic("index", "delete", built, "kiel", "ulm", "--json").stdout)["passages"] == 1
    assert "no passage with the id 'ulm'" in telic("index", "delete", built, "ulm").output


def test_stats(telic: Any, built: Path) -> None:
    facts = json.loads(telic("index", "stats", built, "--json").stdout)
    assert (facts["kind"], facts["passages"]) == ("bm25", 2)
    assert facts["bytes"] > 100
    assert "passages" in telic("index", "stats", built).stdout


def test_a_folder_of_texts(telic: Any, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    (texts / "deep").mkdir(parents=True)
    (texts / "a.txt").write_text("about cats")
    (texts / "deep" / "b.md").write_text("about dogs")
    (texts / "picture.png").write_bytes(b"\x89PNG")
    assert telic("index", "build", tmp_path / "i", texts).exit_code == 0
    assert found(telic, tmp_path / "i", "dogs")[0]["pid"] == "deep/b.md"


def test_an_index_is_not_replaced_by_accident(telic: Any, built: Path, corpus: Path) -> None:
    assert telic("index", "build", built, corpus).exit_code == 2
    assert telic("index", "build", built, corpus, "--force").exit_code == 0
    other = telic("index", "build", built, corpus, "--force", "--kind", "late")
    assert other.exit_code == 2
    assert "of kind bm25" in re.sub(r"[\s│]+", " ", other.output)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rows.jsonl", '{"title": "x"}', "no field 'text'"),
        ("rows.jsonl", "{", "not JSON"),
        ("rows.jsonl", "", "empty"),
        ("rows.csv", "", "first line"),
        ("rows.xls", "x", "no form that is read here"),
        (None, None, "no file or folder"),
    ],
)
def test_a_bad_corpus_is_one_message(telic: Any, tmp_path: Path, name: Any, text: Any, message: str) -> None:
    path = tmp_path / (name or "nowhere.jsonl2")
    if name:
        path.write_text(text)
    result = telic("index", "build", tmp_path / "i", path)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


def test_there_is_no_index(telic: Any, tmp_path: Path) -> None:
    result = telic("index", "search", tmp_path, "x")
    assert result.exit_code == 1
    assert "no index" in result.output


def test_an_unknown_kind(telic: Any, tmp_path: Path, corpus: Path) -> None:
    assert telic("index", "build", tmp_path / "i", corpus, "--kind", "magic").exit_code == 2


def test_serve(built: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "from telic.cli import main; main()",
        "index",
        "serve",
        str(built),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/api/search", said)
        assert url is not None, said
        with urllib.request.urlopen(f"{url[0]}?query=Rhine&k=1") as answer:
            body = json.load(answer)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert [row["pid"] for row in body["topk"]] == ["bonn"]
