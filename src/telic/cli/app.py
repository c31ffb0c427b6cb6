"""The commands put together."""

from __future__ import annotations

from typing import Annotated

import typer

import telic.cli.exits as exits
from telic.cli.cache import cache
from telic.cli.compile import compile_program
from telic.cli.diff import diff
from telic.cli.evaluate import evaluate
from telic.cli.finetune import finetune
from telic.cli.index import index
from telic.cli.models import models
from telic.cli.output import Json
from telic.cli.run import run
from telic.cli.runs import runs
from telic.cli.show import show

app = typer.Typer(
    cls=exits.Guarded,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 budget reached, 130 interrupted.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from telic.cli.output import line

        line(_number())
        raise typer.Exit


def _number() -> str:
    from importlib.metadata import version

    return version("telic")


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere on the line.")
    ] = False,
) -> None:
    """Program language models instead of prompting them: measure programs, compile them, look at them."""


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="'messages' (the default), 'math' or 'finetune'.")] = "messages",
    as_json: Json = False,
) -> None:
    """Compile a program on a small model inside this process, and see by how much it gets better.

    Interrupted and run again, it goes on where it was.
    """
    if name == "finetune":
        from telic.cli.demo.finetune import run as distil

        distil(as_json=as_json)
        return
    from telic.cli.demo.run import run

    run(name, as_json=as_json)


app.command("eval")(evaluate)
app.command("compile")(compile_program)
app.command()(show)
app.command()(diff)
# The script's own options are not telic's.
app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})(run)
app.add_typer(finetune, name="finetune")
app.add_typer(runs, name="runs")
app.add_typer(cache, name="cache")
app.add_typer(models, name="models")
app.add_typer(index, name="index")
