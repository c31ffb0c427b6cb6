"""Indexes on disk: whole, or said to be damaged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telic.errors import DataError
from telic.retrieval.folder import kept
from telic.retrieval.lexical.bm25 import BM25

pytest.importorskip("bm25s")

CORPUS = ["the cat sat", "the dog ran", "birds fly"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return BM25(CORPUS).save(tmp_path / "index")


def files(folder: Path, ending: str) -> list[Path]:
    return sorted(folder.glob(f"*{ending}"))


def test_files_are_json_text_and_arrays(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["kind"] == "bm25"
    assert {row["file"] for row in manifest["files"].values()} | {"manifest.json", ".lock"} == set(
        os.listdir(folder)
    )
    (passages,) = files(folder, ".jsonl")
    assert json.loads(passages.read_text().splitlines()[0]) == {
        "id": "0",
        "text": "the cat sat",
    }


def test_saving_again_leaves_nothing_behind(folder: Path) -> None:
    index = BM25.open(folder)
    before = set(os.listdir(folder))
    index.save()
    assert set(os.listdir(folder)) == before
    index.add(["fish swim"])
    index.save()
    assert len(os.listdir(folder)) == len(before)
    assert BM25.open(folder).search("fish")[0].text == "fish swim"


@pytest.mark.parametrize("ending", [".jsonl", ".npy"])
def test_damage_is_named(folder: Path, ending: str) -> None:
    for file in files(folder, ending):
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(DataError, match=f"damaged.*{file.name}.*content"):
            BM25.open(folder)
        file.write_bytes(content[:-1])
        with pytest.raises(DataError, match=f"damaged.*{file.name}.*bytes"):
            BM25.open(folder)
        file.unlink()
        with pytest.raises(DataError, match=f"damaged.*{file.name}.*missing"):
            BM25.open(folder)
        file.write_bytes(content)
    assert len(BM25.open(folder)) == 3


def test_damaged_manifests(folder: Path) -> None:
    manifest = folder / "manifest.json"
    whole = json.loads(manifest.read_text())
    for text, message in (
        ("{", "not JSON"),
        ("[]", "no manifest"),
        (json.dumps({**whole, "version": 99}), "version 99"),
        (json.dumps({**whole, "files": None}), "damaged"),
    ):
        manifest.write_text(text)
        with pytest.raises(DataError, match=message):
            BM25.open(folder)
    manifest.unlink()
    with pytest.raises(DataError, match="no index"):
        BM25.open(folder)


def test_another_kind_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="kind 'bm25', not 'dense'"):
        kept(folder, "dense")


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(DataError, match=r"thesis\.txt"):
        BM25(CORPUS).save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_files_of_others_in_an_index_stay(folder: Path) -> None:
    (folder / "notes.md").write_text("mine")
    index = BM25.open(folder)
    index.add(["more"])
    index.save()
    assert (folder / "notes.md").exists()


def test_a_change_by_another_process_is_not_lost(folder: Path) -> None:
    one, two = BM25.open(folder), BM25.open(folder)
    one.add([{"id": "one", "text": "one more"}])
    two.add([{"id": "two", "text": "two more"}])
    one.save()
    with pytest.raises(DataError, match="changed by another process"):
        two.save()
    assert "one" in BM25.open(folder).ids()
    two.save(folder.with_name("elsewhere"))


WRITER = """
import sys
from telic.retrieval.lexical.bm25 import BM25
index = BM25.open(sys.argv[1])
print("ready", flush=True)
while True:
    ids = index.add([{"id": f"w{n}", "text": f"word{n} " * 50} for n in range(200)])
    index.save()
    index.delete(ids)
    index.save()
"""


def test_a_writer_that_is_killed_leaves_a_whole_index(folder: Path) -> None:
    for turn in range(6):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.02 + 0.031 * turn)
            writer.send_signal(signal.SIGKILL)
        found = BM25.open(folder)
        assert len(found) in (3, 203)
        assert found.search("cat")[0].text == "the cat sat"
    found.save()
    names = {row["file"] for row in json.loads((folder / "manifest.json").read_text())["files"].values()}
    assert set(os.listdir(folder)) == names | {"manifest.json", ".lock"}
