"""Killed at any step of writing, an index is what it was before, or what it was to become."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from telic.retrieval.late_interaction.retriever import LateInteraction
from telic.testing.encoder import HashEncoder
from tests.retrieval_index.dying import killed_at, needs_fork, steps_of

pytestmark = needs_fork
ENCODER = HashEncoder(8)
EVERY_STEP = bool(os.environ.get("TELIC_EVERY_STEP"))
"""`make test-kills` sets it: several hundred deaths, one at each step of each change."""
A_FEW = 7
WORDS = [f"w{number}" for number in range(50)]


def corpus(first: int, count: int) -> list[dict[str, str]]:
    return [
        {"id": f"{n}", "text": " ".join(WORDS[(n * step) % 50] for step in range(1, 9))}
        for n in range(first, first + count)
    ]


def content(index: LateInteraction) -> list[tuple[str, str, float]]:
    """All that a search can see."""
    return [(p.id, p.text, round(p.score, 5)) for p in index.search("w1 w2 w3", k=10_000)]


CHANGES: dict[str, Callable[[LateInteraction], object]] = {
    "add": lambda index: index.add(corpus(500, 30)),
    "replace": lambda index: index.add(corpus(20, 15), replace=True),
    "delete": lambda index: index.delete(["3", "7", "104"]),
    "compact": lambda index: index.compact(),
    "retrain": lambda index: index.compact(retrain=True),
}


@pytest.fixture(params=["plain", "with centroids"])
def state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index with two segments and some deletions."""
    if request.param == "with centroids":
        monkeypatch.setattr("telic.retrieval.late_interaction.writing.PLAIN_TOKENS", 100)
    path = tmp_path / "state"
    index = LateInteraction.build(corpus(0, 100), encoder=ENCODER, path=path)
    index.add(corpus(100, 20))
    index.delete(["5", "110"])
    assert index.stats()["segments"] == (2 if request.param == "with centroids" else 1)
    return path


def moments(steps: int) -> list[int]:
    """The steps at which to die: all, or a few spread over all."""
    if EVERY_STEP:
        return list(range(1, steps + 1))
    return sorted({1 + round(place * (steps - 1) / (A_FEW - 1)) for place in range(A_FEW)})


@pytest.mark.parametrize("change", CHANGES)
def test_a_death_leaves_the_last_complete_state(state: Path, tmp_path: Path, change: str) -> None:
    """Kill a change at its steps; what is left is before or after, goes on working, and keeps nothing it
    need not.
    """
    work = CHANGES[change]
    before = content(LateInteraction.open(state, ENCODER))
    whole = tmp_path / "whole"
    shutil.copytree(state, whole)
    steps = steps_of(lambda: work(LateInteraction.open(whole, ENCODER)))
    after = content(LateInteraction.open(whole, ENCODER))
    seen = set()
    here = tmp_path / "here"
    for step in moments(steps):
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(state, here)
        killed_at(step, lambda: work(LateInteraction.open(here, ENCODER)))
        left = content(LateInteraction.open(here, ENCODER, verify=True))
        assert left in (before, after), f"{change}, step {step}"
        seen.add(left == after)
        index = LateInteraction.open(here, ENCODER)
        if left == before:
            work(index)
        assert content(index) == after
        index.add(corpus(900, 1))
        kept = {path.name for path in here.iterdir()} - {"manifest.json", "write.lock"}
        assert kept == set(index._opened.manifest.names())
    assert before == after or False in seen


def test_a_death_while_building_leaves_the_last_index(tmp_path: Path) -> None:
    whole, here = tmp_path / "whole", tmp_path / "here"

    def build(path: Path, first: int) -> None:
        LateInteraction.build(corpus(first, 60), encoder=ENCODER, path=path)

    build(whole, 0)
    old = content(LateInteraction.open(whole, ENCODER))
    steps = steps_of(lambda: build(whole, 300))
    new = content(LateInteraction.open(whole, ENCODER))
    for step in moments(steps):
        shutil.rmtree(here, ignore_errors=True)
        build(here, 0)
        killed_at(step, lambda: build(here, 300))
        assert content(LateInteraction.open(here, ENCODER, verify=True)) in (old, new)


def _read_on(path: str, stop: Event, told: Any) -> None:
    """Open and search until told to stop; what was seen, and how often."""
    seen, times = set(), 0
    index = LateInteraction.open(path, ENCODER)
    while not stop.is_set():
        index.refresh()
        seen.add(tuple(content(index)))
        seen.add(tuple(content(LateInteraction.open(path, ENCODER))))
        times += 1
    told.put((seen, times))


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Callable[[Path], Callable[[], tuple[set[Any], int]]]]:
    context = get_context("fork")
    stop, told = context.Event(), context.Queue()
    running = []

    def start(path: Path) -> Callable[[], tuple[set[Any], int]]:
        for _ in range(2):
            process = context.Process(target=_read_on, args=(str(path), stop, told))
            process.start()
            running.append(process)

        def finish() -> tuple[set[Any], int]:
            stop.set()
            found = [told.get(timeout=60) for _ in running]
            return set().union(*(seen for seen, _ in found)), sum(times for _, times in found)

        return finish

    yield start
    stop.set()
    for process in running:
        process.join(timeout=60)
        assert process.exitcode == 0


def test_readers_see_whole_states_while_writers_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readers: Callable[..., Any]
) -> None:
    monkeypatch.setattr("telic.retrieval.late_interaction.writing.PLAIN_TOKENS", 100)
    path = tmp_path / "index"
    index = LateInteraction.build(corpus(0, 60), encoder=ENCODER, path=path)
    states = {tuple(content(index))}
    finish = readers(path)
    changes: list[Callable[[LateInteraction], object]] = [
        lambda index: index.add(corpus(40, 30), replace=True),
        lambda index: index.compact(retrain=True),
        lambda index: index.add(corpus(90, 20), replace=True),
    ]
    for change in changes:
        for step in (2, 9, 14):
            killed_at(step, lambda: change(LateInteraction.open(path, ENCODER)))  # noqa: B023
            states.add(tuple(content(LateInteraction.open(path, ENCODER))))
        index.refresh()
        change(index)
        states.add(tuple(content(index)))
    seen, times = finish()
    assert seen <= states
    assert times > 4
