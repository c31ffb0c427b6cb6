"""One compile, from a strategy to a compiled program: journal, engine, report, provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from telic.evaluate.outcome import describe
from telic.optimize.engine import Engine, Spent
from telic.optimize.journal import Journal, free_run_id
from telic.optimize.pareto import Price, prices
from telic.optimize.problem import Problem
from telic.optimize.progress import Progress
from telic.optimize.report import CompileReport, compare_with_start, provenance
from telic.optimize.strategy import Choice, Ranked, Strategy
from telic.store.default import default_store


def compiled_by(
    optimizer: Any,
    problem: Problem,
    strategy: Strategy,
    run_id: str | None,
    options: Mapping[str, Any],
) -> Any:
    """Run a strategy of an `Optimizer` under the engine; see `Optimizer.run`."""
    began = monotonic()
    store = default_store()
    name = type(optimizer).__name__
    fingerprints = {**problem.fingerprints(), "optimizer": optimizer.fingerprint(options)}
    journal = Journal(store, run_id or free_run_id(store, fingerprints))
    journal.open(fingerprints, optimizer.describe(problem))
    progress = Progress(name, optimizer.display_progress)
    engine = Engine(problem, journal, progress, optimizer.num_threads, optimizer.max_errors)
    try:
        choice = engine.run(strategy)
    except BaseException as error:
        state = "failed" if isinstance(error, Exception) else "stopped"
        journal.finish(state, {"error": describe(error)[:2000]})
        raise
    finally:
        progress.close()
    report = CompileReport(
        journal.run_id,
        name,
        choice.ranking,
        compare_with_start(problem, choice),
        engine.spent,
        journal.resumed,
        monotonic() - began,
        choice.notes,
        engine.stopped,
        prices(journal.outcomes()),
    )
    result = {**report.to_json(), "candidate": choice.candidate.hash, "state": choice.candidate.to_json()}
    journal.finish("stopped" if engine.stopped else "finished", result)
    return _compiled(optimizer, problem, choice, report)


def imagined_by(
    optimizer: Any, problem: Problem, strategy: Strategy, runner: Callable[[Problem, Strategy], Choice]
) -> Any:
    """The program that a strategy would end with if told what `runner` tells; nothing is written."""
    choice = runner(problem, strategy)
    name = type(optimizer).__name__
    comparison = compare_with_start(problem, choice)
    report = CompileReport("imagined", name, choice.ranking, comparison, Spent(), 0, 0.0, choice.notes)
    return _compiled(optimizer, problem, choice, report)


def _compiled(optimizer: Any, problem: Problem, choice: Choice, report: CompileReport) -> Any:
    program = choice.candidate.apply(problem.student)
    program._compiled = True
    program.report = report
    program.provenance = provenance(problem, report, optimizer.get_params())
    program.candidate_programs = [
        _candidate(problem, ranked, report.prices.get(ranked.candidate.hash)) for ranked in choice.ranking
    ]
    return program


def _candidate(problem: Problem, ranked: Ranked, price: Price | None) -> dict[str, Any]:
    program = ranked.candidate.apply(problem.student)
    # Else its parameters would count as parts of the program that it is listed on.
    program._compiled = True
    row = {
        "score": round(100 * ranked.mean, 2),
        "subscores": [ranked.scores[number] for number in sorted(ranked.scores)],
        "program": program,
        "label": ranked.label,
    }
    return row if price is None else {**row, **price.to_json()}
