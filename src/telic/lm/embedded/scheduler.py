"""Which waiting request goes next, and to which slot: prompts that share a prefix follow each other.

A slot of llama.cpp remembers the prompt it read last, and reads only what is new in the next one. So what
costs time is a prompt whose beginning the slot does not know. The scheduler keeps on our side the text that
each slot holds, and gives a free slot the waiting request that shares most of it; nobody waits longer than
`patience`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

J = TypeVar("J")

WINDOW = 256
"""How many of the longest waiting requests are compared with a slot."""


def common_prefix(one: str, other: str) -> int:
    """Characters that both begin with (found by halving: slices compare at memory speed)."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(eq=False)
class Waiting(Generic[J]):
    """A request in the queue.

    Attributes:
        job: what to do.
        text: what its prompt begins with.
        since: when it came, on the scheduler's clock.
        order: number in the order of coming.
    """

    job: J
    text: str
    since: float
    order: int


@dataclass(eq=False)
class Slot:
    """A slot, and what it holds.

    Attributes:
        number: llama.cpp's.
        text: the prompt it read last; empty where nothing can be taken up.
        busy: it is writing an answer.
        used: count of uses at its last one, so that the one idle for longest is known.
    """

    number: int
    text: str = ""
    busy: bool = False
    used: int = 0


@dataclass(eq=False)
class Plan(Generic[J]):
    """The pure part: the queue, the slots, and the choice. Not thread-safe.

    Attributes:
        slots: all slots.
        patience: seconds after which the longest waiting request goes first.
        clock: seconds.
    """

    slots: Sequence[Slot]
    patience: float
    clock: Callable[[], float] = time.monotonic
    queue: dict[int, Waiting[J]] = field(default_factory=dict)
    _orders: itertools.count[int] = field(default_factory=itertools.count)
    _uses: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, job: J, text: str) -> Waiting[J]:
        """Queue a job."""
        waiting = Waiting(job, text, self.clock(), next(self._orders))
        self.queue[waiting.order] = waiting
        return waiting

    def drop(self, waiting: Waiting[J]) -> bool:
        """Take a job out of the queue; False if it is not there any more."""
        return self.queue.pop(waiting.order, None) is not None

    def take(self) -> tuple[Slot, Waiting[J]] | None:
        """The next job and its slot, marked busy; `None` where nothing waits or no slot is free."""
        free = [slot for slot in self.slots if not slot.busy]
        if not free or not self.queue:
            return None
        first = next(iter(self.queue.values()))
        if self.clock() - first.since > self.patience:
            candidates = [first]
        else:
            candidates = list(itertools.islice(self.queue.values(), WINDOW))
        slot, chosen, _ = self._best(free, candidates)
        del self.queue[chosen.order]
        slot.busy, slot.text, slot.used = True, chosen.text, next(self._uses)
        return slot, chosen

    def _best(self, free: Sequence[Slot], waiting: Sequence[Waiting[J]]) -> tuple[Slot, Waiting[J], int]:
        best: tuple[Slot, Waiting[J], int] | None = None
        for slot in sorted(free, key=lambda slot: slot.used):
            for one in waiting:
                shared = common_prefix(slot.text, one.text) if slot.text else 0
                if best is None or shared > best[2]:
                    best = (slot, one, shared)
        assert best is not None
        return best

    def done(self, slot: Slot, *, keeps: bool) -> None:
        """A slot is free again; `keeps` where it can take up the prompt it read."""
        slot.busy = False
        if not keeps:
            slot.text = ""


class Scheduler(Generic[J]):
    """One thread per slot, fed by the plan.

    Args:
        plan: queue and slots.
        work: does a job in a slot, blocking; returns whether the slot keeps its prompt. Must not raise.
        name: of the threads.
    """

    def __init__(self, plan: Plan[J], work: Callable[[J, int], bool], name: str) -> None:
        self._plan = plan
        self._work = work
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{slot.number}", daemon=True)
            for slot in plan.slots
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, jobs: Sequence[tuple[J, str]]) -> list[Waiting[J]]:
        """Queue jobs with their prompts; those given together are seen together."""
        with self._changed:
            placed = [self._plan.add(job, text) for job, text in jobs]
            self._changed.notify(len(jobs))
        return placed

    def drop(self, waiting: Waiting[J]) -> bool:
        """Take a job back; False if it has begun."""
        with self._changed:
            return self._plan.drop(waiting)

    def close(self) -> None:
        """Do what is queued, then end the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                taken = self._plan.take()
                while taken is None:
                    if self._closing and not self._plan.queue:
                        return
                    self._changed.wait()
                    taken = self._plan.take()
            slot, waiting = taken
            keeps = self._work(waiting.job, slot.number)
            with self._changed:
                self._plan.done(slot, keeps=keeps)
                self._changed.notify_all()
