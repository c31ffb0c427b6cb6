"""Options that several commands share."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from telic.cli.metrics import METRIC_HELP
from telic.cli.programs import PROGRAM_HELP


class OptimizerName(StrEnum):
    """The optimizers that the command line offers."""

    auto = "auto"
    random_search = "random-search"
    bootstrap = "bootstrap"
    labeled = "labeled"


DATA_HELP = "A .csv, .jsonl or .json file, or the name of a data set ('NAME' or 'NAME:split')."

Program = Annotated[str, typer.Argument(metavar="PROGRAM", help=PROGRAM_HELP)]
MaybeProgram = Annotated[
    str | None,
    typer.Argument(
        metavar="[PROGRAM]",
        help=f"{PROGRAM_HELP} Left out, it is made from the columns --inputs and --outputs.",
    ),
]
Base = Annotated[
    str | None,
    typer.Option("--program", metavar="PROGRAM", help="The code of a saved program, if PROGRAM is one."),
]
Data = Annotated[str, typer.Option("--data", metavar="DATA", help=DATA_HELP)]
Metric = Annotated[str, typer.Option("--metric", metavar="METRIC", help=METRIC_HELP)]
MaybeMetric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="METRIC",
        help=f"{METRIC_HELP} For a program made from columns, exact; f1 where an output is free text.",
    ),
]
Outputs = Annotated[
    str | None,
    typer.Option("--outputs", metavar="A,B", help="Columns to be found, where there is no PROGRAM."),
]
Inputs = Annotated[
    str | None,
    typer.Option("--inputs", metavar="A,B", help="Input fields of the examples; by default the program's."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first N examples.")]
Lm = Annotated[
    str | None, typer.Option("--lm", metavar="PROVIDER/MODEL", help="The model, e.g. local/smollm2-135m.")
]
ApiBase = Annotated[
    str | None, typer.Option("--api-base", metavar="URL", help="Where the model's server is.")
]
Temperature = Annotated[float | None, typer.Option("--temperature", help="Sampling temperature.")]
MaxTokens = Annotated[int | None, typer.Option("--max-tokens", min=1, help="Most tokens of an answer.")]
Adapter = Annotated[str | None, typer.Option("--adapter", help="chat, json, xml or completion.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Examples at a time.")]
MaxErrors = Annotated[
    int | None, typer.Option("--max-errors", min=0, help="Stop when more examples than this have errors.")
]
Rows = Annotated[
    Path | None, typer.Option("--out", help="Write every example's answer and score here (.csv or .json).")
]
BudgetCalls = Annotated[int | None, typer.Option("--budget-calls", min=1, help="Most model calls.")]
BudgetTokens = Annotated[int | None, typer.Option("--budget-tokens", min=1, help="Most tokens.")]
BudgetUsd = Annotated[float | None, typer.Option("--budget-usd", min=0, help="Most US dollars.")]
BudgetSeconds = Annotated[float | None, typer.Option("--budget-seconds", min=0, help="Most seconds.")]

Out = Annotated[Path, typer.Option("--out", help="Where to save the compiled program (.json).")]
MaybeOut = Annotated[
    Path | None,
    typer.Option("--out", help="Where to save the compiled program; by default DATA.program.json."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would take; no model is asked.")]
Optimizer = Annotated[
    OptimizerName,
    typer.Option("--optimizer", help="How to search; auto goes by the budget, the data and the model."),
]
Val = Annotated[
    str | None,
    typer.Option("--val", metavar="DATA", help="Examples to choose by; by default those of --data."),
]
ValShare = Annotated[
    float | None, typer.Option("--val-share", min=0.01, max=0.99, help="Or so large a share of --data.")
]
DEMOS, BOOTSTRAPPED, CANDIDATES, ROUNDS = 8, 4, 8, 1
"""What the optimizers that are named are given by default."""
Demos = Annotated[int, typer.Option("--demos", min=0, help="Most demos of a predictor.")]
Bootstrapped = Annotated[
    int, typer.Option("--bootstrapped", min=0, help="Of these, most that come from runs of the program.")
]
Candidates = Annotated[int, typer.Option("--candidates", min=1, help="Candidates of random-search.")]
Rounds = Annotated[int, typer.Option("--rounds", min=1, help="Tries of each example while bootstrapping.")]
Threshold = Annotated[
    float | None, typer.Option("--threshold", help="Score from which a run is good enough to learn from.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of every random choice.")]
TeacherLm = Annotated[
    str | None, typer.Option("--teacher-lm", metavar="PROVIDER/MODEL", help="A model to learn from.")
]


def within_budget(
    calls: int | None, tokens: int | None, usd: float | None, seconds: float | None
) -> AbstractContextManager[Any]:
    """A block in which no more than this is spent; no caps, no budget."""
    given: dict[str, Any] = {"calls": calls, "tokens": tokens, "usd": usd, "seconds": seconds}
    caps = {name: cap for name, cap in given.items() if cap is not None}
    if not caps:
        return nullcontext()
    from telic.budget import budget

    made: AbstractContextManager[Any] = budget(**caps)
    return made
