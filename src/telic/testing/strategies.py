"""The contract of optimizers: a killed compile goes on to the same result without paying twice, and equal
seeds give equal candidates in every process.

    def test_resume():
        with telic.context(lm=my_recorded_scripted_lm()):
            check_resume(lambda: MyOptimizer(metric=exact), telic.Predict(Task), trainset=rows)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal

from telic._json import dumps, stable_hash
from telic.program.state import ProgramState
from telic.runtime import scope as scopes
from telic.runtime.settings import settings
from telic.store.base import Store
from telic.store.memory import MemoryStore
from telic.testing.mortal import MortalStore, ProcessDeath
from telic.types import Request, Response


@dataclass
class ResumeCheck:
    """What `check_resume` saw.

    Attributes:
        compiled: the result of the uninterrupted compile.
        appends: how often it wrote to its journal.
        kinds: types of the journal's records, with how often each was written.
        deaths: at how many of these writes a compile was killed.
        calls: LM calls of the uninterrupted compile.
        metric_calls: its metric calls; 0 where the optimizer has no attribute `metric`.
    """

    compiled: Any
    appends: int
    kinds: Counter[str]
    deaths: int
    calls: int
    metric_calls: int


@dataclass(eq=False)  # budgets are told apart by identity
class _Paid:
    """Counts what is paid for: a budget without a cap, and a metric that keeps a tally."""

    calls: Counter[str] = field(default_factory=Counter)
    metric: Counter[str] = field(default_factory=Counter)

    def reserve(self, request: Request) -> Request:
        self.calls[request.key] += 1
        return request

    def settle(self, ticket: Any, response: Response | None) -> None:
        pass

    def counting(self, metric: Any) -> Any:
        @wraps(metric)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.metric[f"{args[0]!r} {args[1]!r}"] += 1
            return metric(*args, **kwargs)

        return counted


def check_resume(
    make_optimizer: Callable[[], Any], student: Any, *, most: int = 40, **compile_args: Any
) -> ResumeCheck:
    """Kill a compile at every record of its journal, let it go on, and compare with an uninterrupted one.

    The final state, the ranking with its scores, and the LM calls paid for must be the same; no call of the
    LM or of the metric may be made twice. Where a record was lost with the process, the one metric call that
    it was of may be made again.

    Args:
        make_optimizer: makes a new optimizer for each life. It leaves `num_threads` open: one thread is used.
        student: what is compiled.
        most: at most so many deaths: at every kind of record first and last, and evenly between.
        **compile_args: keyword arguments of `compile`, without `run_id`.

    The LMs must be `recorded`, and answer by the request alone.

    Raises:
        AssertionError: the contract is broken; says at which record and how.
    """
    whole, paid, store = _life(make_optimizer, student, MemoryStore(), None, "written", compile_args)
    assert whole is not None
    points = _points(store.kinds, most)
    for point, last in points:
        where = f"killed at record {point} of {len(store.kinds)} ({store.kinds[point - 1]}, {last})"
        inner = MemoryStore()
        dead, before, _ = _life(make_optimizer, student, inner, point, last, compile_args)
        assert dead is None, f"{where}: the compile did not die of it."
        again, after, _ = _life(make_optimizer, student, inner, None, last, compile_args)
        _compare(where, whole, again, paid, before, after, spare=last == "lost")
    return ResumeCheck(
        whole,
        len(store.kinds),
        Counter(store.kinds),
        len(points),
        paid.calls.total(),
        paid.metric.total(),
    )


def check_deterministic(case: Callable[[], Any]) -> str:
    """Check that a compile comes to the same in processes with different hash seeds.

    Args:
        case: a function of a module (not a lambda, nor one within another) that compiles, and returns the
            compiled program; it sets its own LM.

    Returns:
        What was the same: hash of the state, and candidates with their scores, as JSON.

    Raises:
        AssertionError: the results differ; both are shown.
        RuntimeError: a process failed; with what it wrote to standard error.
    """
    first, second = (_elsewhere(case, seed) for seed in ("0", "42"))
    assert first == second, f"Two processes came to different results:\n{first}\n{second}"
    return first


def outline(program: Any) -> dict[str, Any]:
    """What two compiles must agree in: the state, and each candidate with its scores."""
    report = getattr(program, "report", None)
    ranking = [] if report is None else report.ranking
    candidates = [[r.label, r.candidate.hash, r.stopped, sorted(r.scores.items())] for r in ranking]
    return {"state": _state(program), "candidates": candidates}


def _life(
    make_optimizer: Callable[[], Any],
    student: Any,
    inner: Store,
    appends: int | None,
    last: Literal["written", "lost"],
    compile_args: dict[str, Any],
) -> tuple[Any, _Paid, MortalStore]:
    """Compile until done or dead; `None` where dead."""
    store, paid = MortalStore(inner, appends, last), _Paid()
    optimizer = make_optimizer()
    if getattr(optimizer, "metric", None) is not None:
        optimizer.metric = paid.counting(optimizer.metric)
    budgets = (*scopes.current().budgets, paid)
    with settings.context(store=store, num_threads=1), scopes.within(budgets=budgets):
        try:
            compiled = optimizer.compile(student, **compile_args)
        except ProcessDeath:
            compiled = None
    return compiled, paid, store


def _points(kinds: Sequence[str], most: int) -> list[tuple[int, Literal["written", "lost"]]]:
    """At which appends to die, counted from 1, and whether the record is written before."""
    edges = {kinds.index(kind) + 1 for kind in kinds}
    edges |= {len(kinds) - kinds[::-1].index(kind) for kind in kinds}
    written = set(range(1, len(kinds) + 1))
    if len(written) > most:
        step = len(kinds) / max(1, most - len(edges))
        written = edges | {int(step * i) + 1 for i in range(most - len(edges))}
    return [(point, "written") for point in sorted(written)] + [(point, "lost") for point in sorted(edges)]


def _compare(
    where: str, whole: Any, again: Any, paid: _Paid, before: _Paid, after: _Paid, *, spare: bool
) -> None:
    expected, found = outline(whole), outline(again)
    assert found == expected, f"{where}: another result.\nwhole:   {expected}\nresumed: {found}"
    calls = before.calls + after.calls
    assert calls == paid.calls, (
        f"{where}: {calls.total()} LM calls, {paid.calls.total()} without the death. "
        f"{(calls - paid.calls).total()} made once more, {(paid.calls - calls).total()} not made. (LMs must "
        "be recorded, and requests a function of the problem and of what the strategy was told.)"
    )
    surplus = before.metric + after.metric - paid.metric
    assert surplus.total() <= spare, f"{where}: metric calls made twice: {list(surplus)[:3]}"


def _state(program: Any) -> str:
    programs = list(_programs(program))
    return programs[0] if len(programs) == 1 else stable_hash(programs)


def _programs(program: Any) -> Iterator[str]:
    """The state's hash; that of each member where a program is a list of compiled ones."""
    members = getattr(program, "programs", None)
    for member in members if isinstance(members, list) else [program]:
        yield ProgramState.of(member).hash


def _elsewhere(case: Callable[[], Any], hash_seed: str) -> str:
    code = (
        "import importlib, sys; from telic.testing import strategies; "
        "strategies.report_outline(getattr(importlib.import_module(sys.argv[1]), sys.argv[2])())"
    )
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TELIC_HOME": home,
        }
        command = [sys.executable, "-c", code, case.__module__, case.__qualname__]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{case.__module__}.{case.__qualname__} failed in a new process:\n{done.stderr}")
    return str(json.loads(done.stdout.splitlines()[-1]))


def report_outline(program: Any) -> None:
    """Print the outline of a program as one line of JSON: what `check_deterministic` reads."""
    sys.stdout.write(dumps(dumps(outline(program))) + "\n")
