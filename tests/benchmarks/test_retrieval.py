"""The benchmark of late interaction, on made-up vectors."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks.retrieval import __main__ as benchmark
from benchmarks.retrieval.bandwidth import rates
from benchmarks.retrieval.vectors import Stored


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, lengths, count in (
        ("passages-000000", "lengths-000000", 300),
        ("queries", "query_lengths", 20),
    ):
        counts = rng.integers(70, 90, count) if count == 300 else rng.integers(4, 9, count)
        np.save(tmp_path / f"{lengths}.npy", counts.astype(np.int32))
        np.save(tmp_path / f"{name}.npy", rng.standard_normal((counts.sum(), 24)).astype(np.float16))
    return tmp_path


def test_copies_are_like_their_passage_and_not_the_same(folder: Path) -> None:
    given = Stored(folder, 300, dim=16)
    one, copy, again = (given.passage(number) for number in (7, 307, 307))
    assert one.shape == copy.shape
    assert (copy == again).all()
    likeness = (one * copy).sum(axis=1)
    assert 0.9 < likeness.mean() < 0.99


def test_every_system_answers_and_what_is_missing_says_why(folder: Path) -> None:
    options = argparse.Namespace(
        systems=["telic, 4 bits", "exact MaxSim (torch)", "fast-plaid"],
        plaid=None,
        dim=0,
        queries=12,
        scratch=None,
    )
    run = benchmark.measured(300, options, folder)
    assert run["skipped"] == {"fast-plaid": "no environment with fast-plaid (--plaid)"}
    exact, ours = run["systems"]["exact MaxSim (torch)"], run["systems"]["telic, 4 bits"]
    assert exact["recall"] == 1
    assert ours["recall"] > 0.6
    assert ours["cpu_ms"] > 0
    found = {
        "date": "today", "machine": "this", "dim": 24, "queries": 12, "runs": [run],
        "kernel": rates(Stored(folder, 300), 300),
    }  # fmt: skip
    shown = benchmark.shown(found)
    assert "| 300 | fast-plaid | not measured: no environment" in shown
    assert shown.count("\n| 300 |") == 3
