"""Any index opened by its folder, and hybrids on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bm25s")
pytest.importorskip("numba")

from telic.errors import DataError, IndexFileError, IndexFileMissingError, InputError
from telic.retrieval.dense.dense import Dense
from telic.retrieval.hybrid import Hybrid
from telic.retrieval.kept_hybrid import change, keep_hybrid
from telic.retrieval.late_interaction.retriever import LateInteraction
from telic.retrieval.lexical.bm25 import BM25
from telic.retrieval.opening import kind_of, open_index
from telic.testing import HashEncoder, check_retriever
from tests.retrieval.vectors import by_words

CORPUS = [
    {"id": "ulm", "text": "Ulm lies on the Danube"},
    {"id": "bonn", "text": "Bonn lies on the Rhine"},
    {"id": "kiel", "text": "Kiel is a port"},
]
ENCODER = HashEncoder()


def made(kind: str, folder: Path, corpus: Any = CORPUS) -> None:
    if kind == "bm25":
        BM25(corpus).save(folder)
    elif kind == "dense":
        Dense(corpus, by_words).save(folder)
    elif kind == "late":
        LateInteraction.build(corpus, encoder=ENCODER, path=folder)
    else:
        made("bm25", folder / "bm25", corpus)
        made("late", folder / "late", corpus)
        parts = {name: open_index(folder / name, encoder=ENCODER) for name in ("bm25", "late")}
        keep_hybrid(Hybrid(parts, k=7, method="scores", weights={"bm25": 1, "late": 2}), folder)


KINDS = ["bm25", "dense", "late", "hybrid"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_opened_and_changed(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    made(kind, folder)
    assert kind_of(folder) == kind
    index = open_index(folder, by_words, ENCODER)
    assert index.search("a port", 1)[0].id == "kiel"
    change(index, add=[{"id": "mainz", "text": "Mainz has a printing museum"}], delete=["kiel"])
    again = open_index(folder, by_words, ENCODER)
    assert again.search("printing museum", 1)[0].id == "mainz"
    assert "kiel" not in {p.id for p in again.search("a port", 9)}
    assert len(again) == 3  # type: ignore[arg-type]


def test_contract_of_a_hybrid_with_late_interaction() -> None:
    check_retriever(
        lambda corpus: Hybrid(BM25(corpus), LateInteraction.build(corpus, encoder=ENCODER)), sensible=False
    )


def test_a_hybrid_keeps_its_settings(tmp_path: Path) -> None:
    made("hybrid", tmp_path)
    found: Any = open_index(tmp_path, encoder=ENCODER)
    assert (found.k, found.method, found.weights) == (7, "scores", {"bm25": 1.0, "late": 2.0})
    assert found.stats()["bm25"]["passages"] == 3


def test_parts_that_differ_are_named(tmp_path: Path) -> None:
    made("hybrid", tmp_path)
    part = BM25.open(tmp_path / "bm25")
    part.delete(["ulm"])
    part.save()
    with pytest.raises(IndexFileError, match="2 in bm25, 3 in late"):
        open_index(tmp_path, encoder=ENCODER)


def test_what_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexFileMissingError, match="no index"):
        open_index(tmp_path / "nowhere")
    manifest = tmp_path / "manifest.json"
    for text, message in (
        ("{", "not JSON"),
        ("{}", "no manifest"),
        (json.dumps({"format": "telic-index", "kind": "magic"}), "'magic'"),
    ):
        manifest.write_text(text)
        with pytest.raises(IndexFileError, match=message):
            open_index(tmp_path)


def test_changes_that_cannot_be_made_change_no_part(tmp_path: Path) -> None:
    made("hybrid", tmp_path)
    for options in ({"add": [CORPUS[0]]}, {"delete": ["nowhere"]}):
        with pytest.raises((DataError, InputError)):
            change(open_index(tmp_path, encoder=ENCODER), **options)  # type: ignore[arg-type]
    assert len(open_index(tmp_path, encoder=ENCODER)) == 3  # type: ignore[arg-type]
