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

CALL = 400
"""What a call behind a known prefix takes, as the number of prompt characters that are read in that time."""


class QueueClosedError(Exception):
    """Jobs were given to a scheduler that is being closed."""


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
        text: the prompt it reads or read last; empty where nothing can be taken up.
        before: what it held before the present one.
        busy: it is writing an answer.
        used: number of its last use, so that the one idle for longest is known.
    """

    number: int
    text: str = ""
    before: str = ""
    busy: bool = False
    used: int = 0


@dataclass(eq=False)
class Plan(Generic[J]):
    """The pure part: the queue, the slots, and the choice. Not thread-safe.

    Attributes:
        slots: all slots.
        patience: seconds after which the longest waiting request goes first; at most one in so many seconds,
            so that a long queue is not worked off in the order of coming, with a cold prompt each time.
        clock: seconds.
    """

    slots: Sequence[Slot]
    patience: float
    clock: Callable[[], float] = time.monotonic
    queue: dict[int, Waiting[J]] = field(default_factory=dict)
    _orders: itertools.count[int] = field(default_factory=itertools.count)
    _uses: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _forced: float = float("-inf")

    def add(self, job: J, text: str) -> Waiting[J]:
        """Queue a job."""
        waiting = Waiting(job, text, self.clock(), next(self._orders))
        self.queue[waiting.order] = waiting
        return waiting

    def drop(self, waiting: Waiting[J]) -> bool:
        """Take a job out of the queue; False if it is not there any more."""
        return self.queue.pop(waiting.order, None) is not None

    def take(self) -> tuple[Slot, Waiting[J]] | None:
        """The next job and its slot, marked busy; `None` where nothing waits, no slot is free, or what waits
        does better to wait for a slot that is busy.
        """
        free = sorted((slot for slot in self.slots if not slot.busy), key=lambda slot: slot.used)
        if not free or not self.queue:
            return None
        chosen = self._overdue(free) or self._best(free)
        if chosen is not None:
            slot, waiting = chosen
            del self.queue[waiting.order]
            slot.busy, slot.used = True, next(self._uses)
            slot.before, slot.text = slot.text, waiting.text
        return chosen

    def done(self, slot: Slot, *, holds: bool | None) -> None:
        """A slot is free again, and holds the prompt it read: yes, no, or (`None`) what it held before."""
        slot.busy = False
        slot.text = slot.before if holds is None else slot.text if holds else ""

    def forget(self) -> None:
        """No slot holds anything any more; not even what one reads just now will be known."""
        for slot in self.slots:
            slot.text = slot.before = ""

    def _overdue(self, free: Sequence[Slot]) -> tuple[Slot, Waiting[J]] | None:
        first, now = next(iter(self.queue.values())), self.clock()
        if now - max(first.since, self._forced) <= self.patience:
            return None
        self._forced = now
        return max(free, key=lambda slot: common_prefix(slot.text, first.text)), first

    def _best(self, free: Sequence[Slot]) -> tuple[Slot, Waiting[J]] | None:
        """The pair that shares most; the earliest request and the slot idle for longest among equals."""
        waiting = list(itertools.islice(self.queue.values(), WINDOW))
        known = self._known_to_busy(waiting)
        best: tuple[Slot, Waiting[J]] | None = None
        most = -1
        for slot in free:
            for one in waiting:
                shared = common_prefix(slot.text, one.text)
                if shared > most and not self._better_waits(known.get(one.order, 0) - shared, len(known)):
                    best, most = (slot, one), shared
        return best

    def _known_to_busy(self, waiting: Sequence[Waiting[J]]) -> dict[int, int]:
        """How much of each waiting prompt (by order) a busy slot holds, where it is worth waiting for."""
        busy = [slot.text for slot in self.slots if slot.busy]
        shares = {one.order: max((common_prefix(t, one.text) for t in busy), default=0) for one in waiting}
        return {order: shared for order, shared in shares.items() if shared > CALL}

    @staticmethod
    def _better_waits(lost: int, queued: int) -> bool:
        """Whether reading `lost` characters again costs more than the queue for the slot that holds them."""
        return lost > queued * CALL


class Scheduler(Generic[J]):
    """One thread per slot, fed by the plan.

    Args:
        plan: queue and slots.
        work: does a job in a slot, blocking; returns whether the slot now holds its prompt (`None`: nothing
            was done). Must not raise.
        name: of the threads.
    """

    def __init__(self, plan: Plan[J], work: Callable[[J, int], bool | None], name: str) -> None:
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
        """Queue jobs with their prompts; those given together are seen together.

        Raises:
            QueueClosedError: `close` was called.
        """
        with self._changed:
            if self._closing:
                raise QueueClosedError("the queue is closed")
            placed = [self._plan.add(job, text) for job, text in jobs]
            self._changed.notify(len(jobs))
        return placed

    def drop(self, waiting: Waiting[J]) -> bool:
        """Take a job back; False if it has begun."""
        with self._changed:
            return self._plan.drop(waiting)

    def clear(self) -> list[J]:
        """Take back all jobs that have not begun."""
        with self._changed:
            jobs = [waiting.job for waiting in self._plan.queue.values()]
            self._plan.queue.clear()
        return jobs

    def forget(self) -> None:
        """The slots lost what they held."""
        with self._changed:
            self._plan.forget()

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
            holds = self._work(waiting.job, slot.number)
            with self._changed:
                self._plan.done(slot, holds=holds)
                self._changed.notify_all()
