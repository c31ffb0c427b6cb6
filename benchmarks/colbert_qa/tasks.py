"""Passages and questions: of Wikipedia articles (SQuAD), and of two paragraphs each (HotpotQA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import telic
from telic.datasets import load, load_corpus


@dataclass(frozen=True)
class Task:
    """What one run is made of.

    Attributes:
        name: of the data set.
        about: which part of it, for the table.
        corpus: passages.
        train: questions with answers, of which no passage is told.
        test: the same, held back.
    """

    name: str
    about: str
    corpus: list[dict[str, Any]]
    train: list[telic.Example]
    test: list[telic.Example]


def squad(train: int | None, test: int | None) -> Task:
    """Questions that a passage answers; train and test are of different articles, all are in the corpus.

    Held back is the split `dev`, of which nothing is chosen here: in `test` the untrained model has the
    answer in its first passage for 95 of 100 questions, which leaves nothing to learn.
    """
    corpus = [
        {"id": row["id"], "text": f"{row['title']} | {row['text']}"} for row in load_corpus("squad_v2_sample")
    ]
    asked, held_back = (
        [row for row in load("squad_v2_sample", split, seed=0) if row.answerable][:limit]
        for split, limit in (("train", train), ("dev", test))
    )
    about = f"SQuAD 2.0 (part of dev), {len(corpus)} passages"
    return Task("squad_v2_sample", about, corpus, asked, held_back)


def hotpotqa(train: int, test: int) -> Task:
    """Questions with a name, date or number as answer, and all paragraphs that were shown with them."""
    asked, held_back = (
        [row for row in load("hotpotqa", split, seed=0) if row.answer not in ("yes", "no")][:limit]
        for split, limit in (("train", train), ("test", test))
    )
    wanted = {title for row in (*asked, *held_back) for title in row.context_titles}
    corpus = _titled(wanted)
    return Task("hotpotqa", f"HotpotQA, {len(corpus):,} paragraphs", corpus, asked, held_back)


def _titled(wanted: set[str]) -> list[dict[str, Any]]:
    rows: Sequence[dict[str, Any]] = [row for row in load_corpus("hotpotqa") if row["title"] in wanted]
    return [{"id": row["title"], "text": f"{row['title']} | {row['text']}"} for row in rows]
