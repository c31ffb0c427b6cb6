"""`telic eval`: how good a program is on a data set, with its confidence interval."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

import telic.cli.options as options
from telic.cli.examples import load_examples
from telic.cli.metrics import load_metric
from telic.cli.output import Json, heading, line, print_facts, print_json
from telic.cli.programs import load_program, output_names, use_lm
from telic.errors import BudgetExceededError, EvaluationError


def evaluate(
    program: options.Program,
    data: options.Data,
    metric: options.Metric,
    base: options.Base = None,
    inputs: options.Inputs = None,
    limit: options.Limit = None,
    lm: options.Lm = None,
    api_base: options.ApiBase = None,
    temperature: options.Temperature = None,
    max_tokens: options.MaxTokens = None,
    adapter: options.Adapter = None,
    threads: options.Threads = None,
    max_errors: options.MaxErrors = None,
    budget_calls: options.BudgetCalls = None,
    budget_tokens: options.BudgetTokens = None,
    budget_usd: options.BudgetUsd = None,
    budget_seconds: options.BudgetSeconds = None,
    out: options.Rows = None,
    as_json: Json = False,
) -> None:
    """Evaluate a program on a data set.

    Answers come from the record where the same question was asked before. An answer that cannot be read
    scores 0; an error (of the metric, the program or the connection) is not scored, and is counted apart.
    """
    from telic.evaluate import Evaluate

    if out is not None and out.suffix not in (".csv", ".json"):
        raise typer.BadParameter(f"--out ends in .csv or .json, not '{out.name}'.")
    target = load_program(program, base)
    use_lm(target, lm, api_base=api_base, temperature=temperature, max_tokens=max_tokens, adapter=adapter)
    devset = load_examples(data, target, inputs, limit)
    scorer = load_metric(metric, output_names(target))
    evaluator = Evaluate(
        devset=devset,
        metric=scorer,
        num_threads=threads,
        max_errors=max_errors,
        display_progress=not as_json and sys.stderr.isatty(),
    )
    try:
        with options.within_budget(budget_calls, budget_tokens, budget_usd, budget_seconds):
            evaluator(target)
    except BudgetExceededError:
        _finish(evaluator.last_result, out, as_json)
        raise
    except (EvaluationError, KeyboardInterrupt):
        _write(evaluator.last_result, out)
        raise
    _finish(evaluator.last_result, out, as_json)


def _finish(result: Any, out: Path | None, as_json: bool) -> None:
    _write(result, out)
    if result is not None:
        report(result, as_json=as_json)


def _write(result: Any, out: Path | None) -> None:
    if out is None or result is None:
        return
    if out.suffix == ".csv":
        result.to_csv(out)
    else:
        result.save_as_json(out)


def report(result: Any, *, as_json: bool) -> None:
    """Print what an evaluation found; without the single rows, which `--out` writes."""
    if as_json:
        print_json({name: value for name, value in result.to_json().items() if name != "rows"})
        return
    low, high = result.interval
    print_facts(
        {
            "score": f"{result.score:.1f} %  (95 % interval {low:.1f} to {high:.1f})",
            "examples": len(result),
            "unreadable": len(result.failures) or None,
            "errors": len(result.errors) or None,
            "calls": f"{result.calls:,} ({result.cached_calls:,} more from the record)",
            "tokens": result.usage.total_tokens,
            "cost": "unknown" if result.cost is None else f"${result.cost:.4f}",
            "seconds": round(result.seconds, 1),
        }
    )
    _problems("unreadable answers", result.failures)
    _problems("errors", result.errors)


def _problems(title: str, problems: list[Any], most: int = 3) -> None:
    if not problems:
        return
    heading(f"{len(problems)} {title}")
    for problem in problems[:most]:
        line(f"- example {problem.index}: {str(problem)[:500]}")
    if len(problems) > most:
        line(f"  … and {len(problems) - most} more")
