"""`telic finetune`: what would be trained on, as a file to be read; and the training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import telic.cli.options as options
from telic.cli.examples import load_examples
from telic.cli.exits import BUDGET, say
from telic.cli.metrics import load_metric
from telic.cli.output import Json, line, print_facts, print_json
from telic.cli.programs import load_program, output_names, use_lm

finetune = typer.Typer(
    no_args_is_help=True, help="Train a program's model on good runs of a teacher; look at the data before."
)

Metric = Annotated[
    str | None,
    typer.Option(
        "--metric", metavar="METRIC", help="Which runs to learn from; by default every readable one."
    ),
]
Teacher = Annotated[
    str | None,
    typer.Option("--teacher", metavar="FILE", help="A saved program to learn from; by default PROGRAM."),
]
Backend = Annotated[
    str | None, typer.Option("--backend", help="local or remote; by default as the model's provider has it.")
]
WithDemos = Annotated[bool, typer.Option("--with-demos", help="Keep PROGRAM's demos in its prompts.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="How to train, e.g. epochs=2.")
]
Rows = Annotated[Path, typer.Option("--out", help="Where to write the rows (.jsonl).")]


@finetune.command("data")
def data_command(
    program: options.Program,
    data: options.Data,
    out: Rows,
    metric: Metric = None,
    teacher: Teacher = None,
    base: options.Base = None,
    inputs: options.Inputs = None,
    limit: options.Limit = None,
    rounds: options.Rounds = options.ROUNDS,
    threshold: options.Threshold = None,
    with_demos: WithDemos = False,
    lm: options.Lm = None,
    teacher_lm: options.TeacherLm = None,
    api_base: options.ApiBase = None,
    adapter: options.Adapter = None,
    backend: Backend = None,
    threads: options.Threads = None,
    as_json: Json = False,
) -> None:
    """Run the teacher, and write what would be trained on. Nothing is trained."""
    target, made = _begun(
        program, base, metric, lm, teacher_lm, api_base, adapter, backend, rounds, threshold, threads,
        with_demos=with_demos, training=(),
    )  # fmt: skip
    examples = load_examples(data, target, inputs, limit)
    sets = made.training_data(target, examples, _teacher(teacher, program, base, target))
    told = [
        _written(label, rows, out, number, len(sets)) for number, (label, rows) in enumerate(sets.items())
    ]
    if as_json:
        print_json(told)
    for row in () if as_json else told:
        print_facts(row)


@finetune.command("run")
def run_command(
    program: options.Program,
    data: options.Data,
    out: options.Out,
    metric: Metric = None,
    teacher: Teacher = None,
    base: options.Base = None,
    val: options.Val = None,
    inputs: options.Inputs = None,
    limit: options.Limit = None,
    rounds: options.Rounds = options.ROUNDS,
    threshold: options.Threshold = None,
    with_demos: WithDemos = False,
    lm: options.Lm = None,
    teacher_lm: options.TeacherLm = None,
    api_base: options.ApiBase = None,
    adapter: options.Adapter = None,
    backend: Backend = None,
    training: Set = None,
    threads: options.Threads = None,
    budget_calls: options.BudgetCalls = None,
    budget_usd: options.BudgetUsd = None,
    budget_seconds: options.BudgetSeconds = None,
    dry_run: options.DryRun = False,
    as_json: Json = False,
) -> None:
    """Train the program's model on good runs of a teacher, and save both. With --dry-run, say what it takes.

    Interrupted, the same command goes on where it was: a training under way is found again.
    """
    if out.suffix != ".json":
        raise typer.BadParameter(f"--out ends in .json, not '{out.name}'.")
    target, made = _begun(
        program, base, metric, lm, teacher_lm, api_base, adapter, backend, rounds, threshold, threads,
        with_demos=with_demos, training=training or (),
    )  # fmt: skip
    taken: dict[str, Any] = {"teacher": _teacher(teacher, program, base, target)}
    if val is not None:
        taken["valset"] = load_examples(val, target, inputs, limit)
    examples = load_examples(data, target, inputs, limit)
    with options.within_budget(budget_calls, None, budget_usd, budget_seconds):
        if dry_run:
            forecast = made.forecast(target, examples, **taken)
            print_json(forecast.to_json()) if as_json else line(str(forecast))
            return
        compiled = made.compile(target, examples, **taken)
    compiled.save(out)
    _report(compiled, out, as_json)
    if compiled.report.stopped:
        say(f"The budget is reached. {compiled.report.stopped}")
        raise typer.Exit(BUDGET)


def _begun(
    program: str,
    base: str | None,
    metric: str | None,
    lm: str | None,
    teacher_lm: str | None,
    api_base: str | None,
    adapter: str | None,
    backend: str | None,
    rounds: int,
    threshold: float | None,
    threads: int | None,
    *,
    with_demos: bool,
    training: Sequence[str],
) -> tuple[Any, Any]:
    """The program, and the optimizer for it."""
    from telic.lm.model import LM
    from telic.optimize.bootstrap_finetune import BootstrapFinetune

    target = load_program(program, base)
    use_lm(target, lm, api_base=api_base, adapter=adapter)
    made = BootstrapFinetune(
        None if metric is None else load_metric(metric, output_names(target)),
        train_kwargs=dict(map(_option, training)),
        exclude_demos=not with_demos,
        num_threads=threads,
        backend=backend,
        metric_threshold=threshold,
        max_rounds=rounds,
        teacher_settings={} if teacher_lm is None else {"lm": LM(teacher_lm)},
    )
    return target, made


def _teacher(file: str | None, program: str, base: str | None, target: Any) -> Any:
    return target if file is None else load_program(file, base or program)


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--set {text}: write NAME=VALUE, as in epochs=2.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _written(label: str, rows: Any, out: Path, number: int, count: int) -> dict[str, Any]:
    """Write a set; several get numbers."""
    path = rows.write(out if count == 1 else out.with_stem(f"{out.stem}-{number + 1}"))
    told = {"predictors": label, "rows": len(rows), "format": rows.format, "file": str(path)}
    return {**told, **rows.about}


def _report(compiled: Any, out: Path, as_json: bool) -> None:
    report = compiled.report
    if as_json:
        training = (compiled.provenance or {}).get("training")
        print_json({**report.to_json(), "training": training, "file": str(out)})
        return
    for ranked in report.ranking:
        line(f"{ranked.label}: {100 * ranked.mean:.1f} %")
    for note in report.notes:
        line(f"note: {note}")
    line(f"Saved: {out}, with its model beside it. Look at it: telic show {out}")
