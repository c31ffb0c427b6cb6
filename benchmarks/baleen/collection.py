"""The paragraphs, the questions over them, and the indexes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import telic
from telic import datasets
from telic.retrieval import BM25, LateInteraction, Passage
from telic.systems.baleen import GoldQuestion, Titles


@dataclass(frozen=True)
class Collection:
    """Paragraphs, and ways to search them."""

    passages: dict[str, Passage]
    words: BM25
    tokens: LateInteraction
    titles: Titles


def passages() -> list[Passage]:
    """The paragraphs of HotPotQA; their titles are their ids."""
    return [
        Passage(row["title"], f"{row['title']} | {row['text']}", metadata={"sentences": row["sentences"]})
        for row in datasets.load_corpus("hotpotqa")
    ]


def collection(folder: Path, encoder: Any) -> Collection:
    """Indexes of the paragraphs; that of late interaction is kept in a folder, as encoding takes minutes."""
    found = passages()
    path = folder / "hotpotqa.index"
    if path.is_dir():
        tokens = LateInteraction.open(path, encoder)
    else:
        tokens = LateInteraction.build(found, encoder=encoder, path=path)
    return Collection({p.id: p for p in found}, BM25(found), tokens, Titles(found))


def questions(split: str, limit: int | None = None) -> list[GoldQuestion]:
    """HotPotQA's questions with their gold paragraphs and sentences."""
    return [_gold(row.question, row) for row in datasets.load("hotpotqa", split, limit)]


def claims(known: dict[str, Passage], limit: int | None = None) -> list[tuple[GoldQuestion, str]]:
    """HoVer's claims whose gold paragraphs are all among HotPotQA's, with their labels; dev and test."""
    rows: list[telic.Example] = [row for split in ("dev", "test") for row in datasets.load("hover", split)]
    fitting = [row for row in rows if set(row.gold_titles) <= known.keys()]
    return [(_gold(row.claim, row), row.label) for row in fitting][:limit]


def _gold(text: str, row: Any) -> GoldQuestion:
    sentences: dict[str, list[int]] = {}
    for title, number in row.supporting_facts:
        sentences.setdefault(title, []).append(number)
    return GoldQuestion(text, tuple(Passage(title, title) for title in row.gold_titles), sentences)
