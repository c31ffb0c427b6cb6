"""`telic run`: a Python script, if need be one written for DSPy."""

from __future__ import annotations

import runpy
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from telic.cli.exits import FAILED
from telic.errors import BudgetExceededError, TelicError


def run(
    script: Annotated[Path, typer.Argument(help="The script; what follows it is its own arguments.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments of the script.")] = None,
    dspy: Annotated[
        bool, typer.Option("--dspy", help="Let `import dspy` mean telic, and telic do as DSPy documents.")
    ] = False,
) -> None:
    """Run a Python script as `python script.py` would.

    With --dspy, a script written for DSPy runs unchanged.
    """
    if not script.is_file():
        raise typer.BadParameter(f"there is no script '{script}'.")
    if dspy:
        from telic.compat.dspy.installer import install

        install()
    sys.argv = [str(script), *(arguments or [])]
    sys.path.insert(0, str(script.resolve().parent))
    try:
        runpy.run_path(str(script), run_name="__main__")
    except BudgetExceededError:
        raise
    except TelicError:
        # A script's author wants to know where.
        traceback.print_exc()
        raise typer.Exit(FAILED) from None
