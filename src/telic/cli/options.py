"""Options that several commands share."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any

import typer

from telic.cli.metrics import METRIC_HELP
from telic.cli.programs import PROGRAM_HELP

DATA_HELP = "A .csv, .jsonl or .json file, or the name of a data set ('NAME' or 'NAME:split')."

Program = Annotated[str, typer.Argument(metavar="PROGRAM", help=PROGRAM_HELP)]
Base = Annotated[
    str | None, typer.Option("--program", metavar="PROGRAM", help="The code of a saved program, if PROGRAM is one.")
]
Data = Annotated[str, typer.Option("--data", metavar="DATA", help=DATA_HELP)]
Metric = Annotated[str, typer.Option("--metric", metavar="METRIC", help=METRIC_HELP)]
Inputs = Annotated[
    str | None,
    typer.Option("--inputs", metavar="A,B", help="Input fields of the examples; by default the program's."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first N examples.")]
Lm = Annotated[str | None, typer.Option("--lm", metavar="PROVIDER/MODEL", help="The model, e.g. local/smollm2-135m.")]
ApiBase = Annotated[str | None, typer.Option("--api-base", metavar="URL", help="Where the model's server is.")]
Temperature = Annotated[float | None, typer.Option("--temperature", help="Sampling temperature.")]
MaxTokens = Annotated[int | None, typer.Option("--max-tokens", min=1, help="Most tokens of an answer.")]
Adapter = Annotated[str | None, typer.Option("--adapter", help="chat, json, xml or completion.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Examples at a time.")]
BudgetCalls = Annotated[int | None, typer.Option("--budget-calls", min=1, help="Most model calls.")]
BudgetTokens = Annotated[int | None, typer.Option("--budget-tokens", min=1, help="Most tokens.")]
BudgetUsd = Annotated[float | None, typer.Option("--budget-usd", min=0, help="Most US dollars.")]
BudgetSeconds = Annotated[float | None, typer.Option("--budget-seconds", min=0, help="Most seconds.")]


def within_budget(
    calls: int | None, tokens: int | None, usd: float | None, seconds: float | None
) -> AbstractContextManager[Any]:
    """A block in which no more than this is spent; no caps, no budget."""
    caps = {"calls": calls, "tokens": tokens, "usd": usd, "seconds": seconds}
    caps = {name: cap for name, cap in caps.items() if cap is not None}
    if not caps:
        return nullcontext()
    from telic.budget import budget

    made: AbstractContextManager[Any] = budget(**caps)
    return made
