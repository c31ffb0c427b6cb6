"""`telic compile`: search for better demos, within a budget, and save the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import typer

import telic.cli.options as options
import telic.cli.table as table
from telic.cli.examples import load_examples
from telic.cli.exits import BUDGET, say
from telic.cli.metrics import load_metric
from telic.cli.options import OptimizerName
from telic.cli.output import Json, line, print_facts, print_json, print_table
from telic.cli.programs import load_program, output_names, use_lm

OWN_SHARE = 0.5
"""Of the data, to choose by, where the program is made from columns and nothing is said."""


def compile_program(
    context: typer.Context,
    data: options.Data,
    program: options.MaybeProgram = None,
    metric: options.MaybeMetric = None,
    out: options.MaybeOut = None,
    optimizer: options.Optimizer = OptimizerName.auto,
    base: options.Base = None,
    val: options.Val = None,
    val_share: options.ValShare = None,
    inputs: options.Inputs = None,
    outputs: options.Outputs = None,
    limit: options.Limit = None,
    demos: options.Demos = options.DEMOS,
    bootstrapped: options.Bootstrapped = options.BOOTSTRAPPED,
    candidates: options.Candidates = options.CANDIDATES,
    rounds: options.Rounds = options.ROUNDS,
    threshold: options.Threshold = None,
    seed: options.Seed = 0,
    lm: options.Lm = None,
    teacher_lm: options.TeacherLm = None,
    api_base: options.ApiBase = None,
    temperature: options.Temperature = None,
    max_tokens: options.MaxTokens = None,
    adapter: options.Adapter = None,
    threads: options.Threads = None,
    budget_calls: options.BudgetCalls = None,
    budget_tokens: options.BudgetTokens = None,
    budget_usd: options.BudgetUsd = None,
    budget_seconds: options.BudgetSeconds = None,
    dry_run: options.DryRun = False,
    as_json: Json = False,
) -> None:
    """Compile a program towards a metric, and save it. With --dry-run, only say what that would take.

    Every answer and score is recorded before it is used. Interrupted, the same command goes on where it was;
    when the budget is reached, the best program so far is saved (exit code 3).
    """
    out = _file(out, data)
    target, metric = _target(program, base, metric, data, inputs, outputs, limit)
    if program is None:
        val_share = OWN_SHARE if val is None and val_share is None else val_share
        lm = lm or table.model_for_all()
    use_lm(target, lm, api_base=api_base, temperature=temperature, max_tokens=max_tokens, adapter=adapter)
    sets = _sets(target, data, val, val_share, inputs, limit, seed)
    chosen = _chosen(demos, bootstrapped, rounds, threshold, threads, teacher_lm, seed)
    chosen["metric"] = load_metric(metric, output_names(target))
    made, taken = _optimizer(optimizer, sets, chosen, candidates)
    with options.within_budget(budget_calls, budget_tokens, budget_usd, budget_seconds):
        if dry_run:
            _forecast(made.forecast(target, **taken), as_json)
        else:
            with _noting(context, out), _expecting(made, target, taken):
                compiled = made.compile(target, **taken)
            _saved(compiled, out, as_json)


def _file(out: Path | None, data: str) -> Path:
    """Where the program is saved."""
    found = out or Path(f"{Path(data).name.partition('.')[0]}.program.json")
    if found.suffix != ".json":
        raise typer.BadParameter(f"--out ends in .json, not '{found.name}'.")
    return found


def _target(
    program: str | None,
    base: str | None,
    metric: str | None,
    data: str,
    inputs: str | None,
    outputs: str | None,
    limit: int | None,
) -> tuple[Any, str]:
    """The program, and the metric's name: as named, or made from the columns of the data."""
    if program is None:
        made = table.program_of(data, inputs, outputs, limit)
        say(f"Made from the columns: {made.signature.signature}")
        return made, metric or table.metric_for(made)
    if outputs is not None:
        raise typer.BadParameter("--outputs is for data without a PROGRAM, which knows its outputs.")
    if metric is None:
        raise typer.BadParameter("say with --metric what is good.")
    return load_program(program, base), metric


def _saved(compiled: Any, out: Path, as_json: bool) -> None:
    """Save what was compiled, and say how it went."""
    compiled.save(out)
    _report(compiled.report, out, as_json)
    if compiled.report.stopped:
        say(f"The budget is reached; the best so far is saved. {compiled.report.stopped}")
        raise typer.Exit(BUDGET)


def _noting(context: typer.Context, out: Path) -> AbstractContextManager[None]:
    """A block in which runs note the command line, so that `telic runs resume` can repeat it."""
    from telic.optimize.optimizer import describing_runs

    line_typed = context.find_root().meta.get("telic.line")
    return describing_runs(command=line_typed, folder=os.getcwd(), out=str(out))


def _expecting(optimizer: Any, target: Any, taken: Mapping[str, Any]) -> AbstractContextManager[None]:
    """A block in which the time left is shown, where somebody looks."""
    from telic.optimize.progress import expecting_calls

    if not sys.stderr.isatty():
        return nullcontext()
    return expecting_calls(optimizer.forecast(target, **taken).calls.expected)


def _sets(
    target: Any,
    data: str,
    val: str | None,
    share: float | None,
    inputs: str | None,
    limit: int | None,
    seed: int,
) -> dict[str, Any]:
    """`trainset`, and `valset` where there is one."""
    train = load_examples(data, target, inputs, limit)
    if val is not None:
        if share is not None:
            raise typer.BadParameter("--val and --val-share exclude each other.")
        return {"trainset": train, "valset": load_examples(val, target, inputs, limit)}
    if share is None:
        return {"trainset": train}
    from telic.data.splits import split

    chosen, rest = split(train, [share, -1], seed)
    return {"trainset": rest, "valset": chosen}


def _teacher(model: str | None) -> dict[str, Any]:
    if model is None:
        return {}
    from telic.lm.model import LM

    return {"lm": LM(model)}


def _chosen(
    demos: int,
    bootstrapped: int,
    rounds: int,
    threshold: float | None,
    threads: int | None,
    teacher_lm: str | None,
    seed: int,
) -> dict[str, Any]:
    """What optimizers are told, by the names of their parameters."""
    return {
        "max_labeled_demos": demos,
        "max_bootstrapped_demos": min(bootstrapped, demos),
        "max_rounds": rounds,
        "metric_threshold": threshold,
        "num_threads": threads,
        "teacher_settings": _teacher(teacher_lm),
        "seed": seed,
    }


def _optimizer(
    name: OptimizerName, sets: Mapping[str, Any], chosen: Mapping[str, Any], candidates: int
) -> tuple[Any, dict[str, Any]]:
    """The optimizer, and what its `compile` takes beside the program."""
    from telic.optimize.auto.search import Auto
    from telic.optimize.bootstrap_few_shot import BootstrapFewShot
    from telic.optimize.labeled import LabeledFewShot
    from telic.optimize.random_search import BootstrapFewShotWithRandomSearch

    if name is OptimizerName.auto:
        _refuse_plans(chosen, candidates)
        taken = ("metric", "metric_threshold", "num_threads", "teacher_settings", "seed")
        return Auto(**{each: chosen[each] for each in taken}), dict(sets)
    train = {"trainset": sets["trainset"]}
    if name is OptimizerName.labeled:
        return LabeledFewShot(k=chosen["max_labeled_demos"], seed=chosen["seed"]), train
    if name is OptimizerName.bootstrap:
        return BootstrapFewShot(**chosen), train
    return BootstrapFewShotWithRandomSearch(num_candidate_programs=candidates, **chosen), dict(sets)


def _refuse_plans(chosen: Mapping[str, Any], candidates: int) -> None:
    """How many demos and candidates there are is for `auto` to find; whoever says it names an optimizer."""
    plan = {
        "--demos": chosen["max_labeled_demos"] != options.DEMOS,
        "--bootstrapped": chosen["max_bootstrapped_demos"] != options.BOOTSTRAPPED,
        "--candidates": candidates != options.CANDIDATES,
        "--rounds": chosen["max_rounds"] != options.ROUNDS,
    }
    if given := [name for name, changed in plan.items() if changed]:
        raise typer.BadParameter(
            f"{', '.join(given)}: --optimizer auto finds that out by itself. Name the optimizer it is for, "
            "as in --optimizer random-search."
        )


def _forecast(forecast: Any, as_json: bool) -> None:
    if as_json:
        print_json(forecast.to_json())
        return
    print_table(["", "expected", "at least", "at most"], forecast.rows())
    for note in forecast.notes:
        line(f"note: {note}")


def _report(report: Any, out: Path, as_json: bool) -> None:
    row = report.to_json()
    if as_json:
        print_json({**row, "file": str(out)})
        return
    rows = [
        [
            c["label"],
            c.get("score"),
            _interval(c.get("interval")),
            c["examples"],
            "stopped early" if c.get("stopped") else "",
        ]
        for c in row["candidates"]
    ]
    if rows:
        print_table(["candidate", "score %", "95 % interval", "examples", ""], rows)
        line()
    spent = row["spent"]
    print_facts(
        {
            "saved": str(out),
            "run": row["run"],
            "calls": f"{spent['calls']:,} ({spent['cached_calls']:,} more from the record)",
            "tokens": spent["tokens"],
            "cost": "unknown" if spent["cost"] is None else f"${spent['cost']:.4f}",
            "scores resumed": row["resumed"] or None,
            "seconds": row["seconds"],
        }
    )
    for note in row["notes"]:
        line(f"note: {note}")


def _interval(bounds: Any) -> str:
    return f"{bounds[0]:.1f} to {bounds[1]:.1f}" if bounds else ""
