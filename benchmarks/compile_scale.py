"""What the compiler itself takes, on a model that answers at once: memory and journal of a large compile, and
seconds per LM call of a random search beside DSPy's.

    python -m benchmarks.compile_scale [--candidates N] [--examples N] [--only scale|overhead]

Everything is measured in processes of its own, with an empty record.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

from benchmarks.framework import stub
from benchmarks.framework.sides import ROOT, dspy_python

MEGABYTES = 500
SECONDS_TO_READ = 10.0
SHARE_OF_DSPY = 0.25
_STEP = 100
"""Candidates that are asked for at once."""
_REPEATS = 5
_THREADS = (1, 8)


def main() -> int:
    """Measure and print; 1 if a bound was missed."""
    arguments = _arguments()
    if arguments.child:
        print(json.dumps(CHILDREN[arguments.child](arguments)))
        return 0
    missed: list[str] = []
    if arguments.only in ("", "scale"):
        missed += scale(arguments)
    if arguments.only in ("", "overhead"):
        missed += overhead(arguments)
    print("\n".join(f"MISSED: {what}" for what in missed) or "all bounds kept")
    return bool(missed)


def scale(arguments: argparse.Namespace) -> list[str]:
    """Many candidates on many examples: memory, pace, and the time to read the journal back."""
    size = ["--candidates", str(arguments.candidates), "--examples", str(arguments.examples)]
    with tempfile.TemporaryDirectory() as home:
        run = _child("run", sys.executable, home, *size)
        read = _child("read", sys.executable, home, *size)
    scores = arguments.candidates * arguments.examples
    print(
        f"{arguments.candidates:,} candidates x {arguments.examples} examples: {run['seconds']:.0f} s "
        f"({1e3 * run['seconds'] / scores:.2f} ms a score), at most {run['megabytes']:.0f} MB; journal "
        f"of {read['bytes'] / 1e6:.0f} MB read back in {read['seconds']:.1f} s, at most "
        f"{read['megabytes']:.0f} MB"
    )
    bounds = {
        f"{run['megabytes']:.0f} MB > {MEGABYTES} MB": run["megabytes"] <= MEGABYTES,
        f"read back in {read['seconds']:.1f} s > {SECONDS_TO_READ} s": read["seconds"] <= SECONDS_TO_READ,
        f"{read['scores']} of {scores} scores came back": read["scores"] == scores,
    }
    return [what for what, kept in bounds.items() if not kept]


def overhead(arguments: argparse.Namespace) -> list[str]:
    """Seconds per LM call of a random search, telic's and DSPy's in turn, at equal numbers of threads."""
    pythons = {
        "telic": sys.executable,
        "dspy": arguments.dspy_python or dspy_python(ROOT / ".venv-bench"),
    }
    missed = []
    for threads in _THREADS:
        taken: dict[str, list[dict[str, float]]] = {"telic": [], "dspy": []}
        for _ in range(arguments.repeats):
            for side, python in pythons.items():
                with tempfile.TemporaryDirectory() as home:
                    taken[side].append(_child(f"search-{side}", python, home, "--threads", str(threads)))
        mine, theirs = _per_call(taken["telic"], "cpu"), _per_call(taken["dspy"], "cpu")
        wall = _per_call(taken["telic"], "seconds"), _per_call(taken["dspy"], "seconds")
        print(
            f"random search, {threads} thread(s), medians of {arguments.repeats}: telic {mine:.3f} ms of CPU "
            f"a call, DSPy {theirs:.3f} ms, ratio {mine / theirs:.2f}; by the clock {wall[0]:.3f} and "
            f"{wall[1]:.3f} ms; {taken['telic'][0]['calls']} and {taken['dspy'][0]['calls']} calls"
        )
        # Judged by CPU time: on a model that answers at once it is all there is, and neighbours do not count.
        if mine > SHARE_OF_DSPY * theirs:
            missed.append(f"{mine:.3f} ms a call > {SHARE_OF_DSPY} x {theirs:.3f} ms at {threads} thread(s)")
    return missed


def _per_call(runs: list[dict[str, float]], unit: str) -> float:
    """Median, in milliseconds."""
    return 1e3 * statistics.median(run[unit] / run["calls"] for run in runs)


def _child(what: str, python: str, home: str, *more: str) -> Any:
    """Run one measurement in a process of its own."""
    environment = {**os.environ, "TELIC_HOME": f"{home}/telic", "DSPY_CACHEDIR": f"{home}/dspy"}
    command = [python, "-m", "benchmarks.compile_scale", "--child", what, *more]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compile_scale", description=__doc__)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", choices=("", "scale", "overhead"))
    parser.add_argument("--dspy-python", metavar="PATH", help="an interpreter that has DSPy already")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


# In processes of their own.


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def run_large(arguments: argparse.Namespace) -> dict[str, float]:
    """A strategy that wants every candidate on every example."""
    import telic
    from benchmarks.framework import cases_telic
    from telic.optimize import Choice, Optimizer, Problem, Strategy, Trial, make_problem

    class Exhaustive(Optimizer):
        metric = staticmethod(cases_telic.metric)

        def compile(self, student: Any, trainset: Any) -> Any:
            problem = make_problem(student, trainset=trainset, valset=None, metric=self.metric)
            return self.run(problem, self.strategy(problem), run_id="large")

        def strategy(self, problem: Problem) -> Strategy:
            (path,) = problem.start.paths
            for begin in range(0, arguments.candidates, _STEP):
                numbers = range(begin, min(begin + _STEP, arguments.candidates))
                states = [problem.start.with_instructions({path: f"Way {n} to answer."}) for n in numbers]
                yield [
                    Trial(state, problem.validation, why=f"way {n}")
                    for n, state in zip(numbers, states, strict=True)
                ]
            return Choice(problem.start)

    program = cases_telic.predictor(cases_telic.Stub())
    began = perf_counter()
    compiled = Exhaustive().compile(program, cases_telic.devset(arguments.examples))
    seconds = perf_counter() - began
    assert isinstance(compiled, telic.Module)
    return {"seconds": seconds, "megabytes": _peak_megabytes()}


def read_back(arguments: argparse.Namespace) -> dict[str, float]:
    """What a resumed run does first."""
    from telic.optimize.journal import Journal
    from telic.store.default import default_store

    store = default_store()
    row = store.get("runs", "large")
    assert row is not None
    began = perf_counter()
    journal = Journal(store, "large")
    journal.open(row["fingerprints"], {})
    seconds = perf_counter() - began
    size = float(store.stats()["bytes"])
    return {"seconds": seconds, "scores": journal.resumed, "bytes": size, "megabytes": _peak_megabytes()}


def _search(side: Any, optimizer: Callable[..., Any], **options: Any) -> dict[str, float]:
    calls = 0

    class Counting(side.Stub):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            return stub.response()

        async def aforward(self, *args: Any, **kwargs: Any) -> Any:
            return self.forward(*args, **kwargs)

    program = side.predictor(Counting())
    examples = side.devset(220)
    # What loads at first use is no cost of a call.
    warm = optimizer(metric=side.metric, num_candidate_programs=1, **options)
    warm.compile(program, trainset=examples[200:210], valset=examples[210:])
    calls = 0
    search = optimizer(metric=side.metric, num_candidate_programs=6, **options)
    began, used = perf_counter(), process_time()
    search.compile(program, trainset=examples[:50], valset=examples[50:200])
    return {"seconds": perf_counter() - began, "cpu": process_time() - used, "calls": calls}


def search_telic(arguments: argparse.Namespace) -> dict[str, float]:
    """telic's random search, without racing, so that as many calls are made."""
    import telic
    from benchmarks.framework import cases_telic

    made = telic.BootstrapFewShotWithRandomSearch
    return _search(cases_telic, made, num_threads=arguments.threads, racing=False)


def search_dspy(arguments: argparse.Namespace) -> dict[str, float]:
    """DSPy's."""
    import dspy

    from benchmarks.framework import cases_dspy

    return _search(cases_dspy, dspy.BootstrapFewShotWithRandomSearch, num_threads=arguments.threads)


CHILDREN: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "run": run_large,
    "read": read_back,
    "search-telic": search_telic,
    "search-dspy": search_dspy,
}

if __name__ == "__main__":
    sys.exit(main())
