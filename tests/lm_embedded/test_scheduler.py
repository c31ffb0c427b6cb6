"""Which request goes next, and to which slot: the plan alone, without a model."""

from __future__ import annotations

import itertools
import random
import threading
import time

import pytest

from telic.lm.embedded.scheduler import Plan, QueueClosedError, Scheduler, Slot, common_prefix

A, B = "A" * 3000, "B" * 3000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def plan(slots: int = 1, patience: float = 1e9) -> tuple[Plan[str], Clock]:
    clock = Clock()
    return Plan([Slot(n) for n in range(slots)], patience, clock), clock


def worked_off(made: Plan[str], clock: Clock, seconds: float = 1.0) -> list[str]:
    """Jobs in the order in which one slot does them."""
    order = []
    while (taken := made.take()) is not None:
        slot, waiting = taken
        order.append(waiting.job)
        clock.now += seconds
        made.done(slot, holds=True)
    return order


def test_prefix_length_is_that_of_a_comparison_character_by_character():
    chance = random.Random(4)
    for _ in range(300):
        one = "".join(chance.choices("ab", k=chance.randrange(40)))
        other = one[: chance.randrange(len(one) + 1)] + "".join(chance.choices("ab", k=chance.randrange(9)))
        length = 0
        while length < min(len(one), len(other)) and one[length] == other[length]:
            length += 1
        assert common_prefix(one, other) == common_prefix(other, one) == length


def test_prompts_with_a_common_beginning_follow_each_other():
    made, clock = plan()
    for number in range(6):
        made.add(f"a{number}", A + str(number))
        made.add(f"b{number}", B + str(number))
    assert worked_off(made, clock) == [*(f"a{n}" for n in range(6)), *(f"b{n}" for n in range(6))]


def test_among_equals_the_first_to_come_goes_first():
    made, clock = plan()
    for number in range(5):
        made.add(f"x{number}", f"{number} is its own beginning")
    assert worked_off(made, clock) == [f"x{n}" for n in range(5)]


def test_nobody_starves_and_the_queue_does_not_fall_apart_once_all_are_overdue():
    made, clock = plan(patience=10)
    for number in range(40):
        made.add(f"a{number}", A + str(number))
        made.add(f"b{number}", B + str(number))
    order = worked_off(made, clock)
    switches = sum(one[0] != other[0] for one, other in itertools.pairwise(order))
    assert order.index("b0") <= 12
    assert switches <= 10  # 80 s of work: at most one forced change in 10 s, not one at each call


def test_a_free_slot_takes_the_prompt_it_holds():
    made, _ = plan(slots=2)
    made.add("a", A)
    made.add("b", B)
    first, second = made.take(), made.take()
    assert first is not None
    assert second is not None
    for slot, _waiting in (first, second):
        made.done(slot, holds=True)
    made.add("b again", B + "2")
    made.add("a again", A + "2")
    held = {waiting.job: slot.number for slot, waiting in (made.take(), made.take())}  # type: ignore[misc]
    assert held == {"a again": first[0].number, "b again": second[0].number}


def test_few_requests_wait_for_the_busy_slot_that_knows_their_long_prefix():
    made, _ = plan(slots=2)
    for number in range(3):
        made.add(f"a{number}", A + str(number))
    taken = made.take()
    assert taken is not None
    assert made.take() is None  # reading 3,000 characters again costs more than waiting for two calls
    made.add("b", B)
    other = made.take()
    assert other is not None
    assert other[1].job == "b"
    made.done(taken[0], holds=True)
    following = made.take()
    assert following is not None
    assert following[0] is taken[0]


def test_many_requests_are_worth_reading_the_prefix_in_a_second_slot():
    made, _ = plan(slots=2)
    for number in range(30):
        made.add(f"a{number}", A + str(number))
    assert made.take() is not None
    assert made.take() is not None


def test_what_was_not_begun_leaves_the_slot_as_it_was_and_what_failed_empties_it():
    made, _ = plan()
    for text, holds, left in ((A, True, A), (B, None, A), (B, False, "")):
        made.add("job", text)
        taken = made.take()
        assert taken is not None
        made.done(taken[0], holds=holds)
        assert made.slots[0].text == left


def test_threads_do_every_job_once_and_side_by_side():
    done: list[int] = []
    together = threading.Barrier(3, timeout=10)

    def work(job: int, slot: int) -> bool:
        if job < 3:
            together.wait()
        done.append(job)
        return True

    scheduler = Scheduler(Plan([Slot(n) for n in range(3)], 10), work, "test")
    scheduler.submit([(number, str(number)) for number in range(50)])
    scheduler.close()
    assert sorted(done) == list(range(50))
    with pytest.raises(QueueClosedError):
        scheduler.submit([(1, "")])


def test_a_job_can_be_taken_back_until_it_begins():
    begun, go = threading.Event(), threading.Event()

    def work(job: str, slot: int) -> bool:
        begun.set()
        assert go.wait(10)
        return True

    scheduler = Scheduler(Plan([Slot(0)], 10), work, "test")
    first, second = scheduler.submit([("first", "x"), ("second", "y")])
    assert begun.wait(10)
    assert not scheduler.drop(first)
    assert scheduler.drop(second)
    assert not scheduler.drop(second)
    go.set()
    scheduler.close()


def test_choosing_stays_quick_with_a_long_queue():
    made, clock = plan()
    chance = random.Random(1)
    for number in range(2000):
        made.add(str(number), chance.choice("ABCD") * 4000 + str(number))
    began = time.process_time()
    assert len(worked_off(made, clock, 0.0)) == 2000
    assert (time.process_time() - began) / 2000 < 0.005
