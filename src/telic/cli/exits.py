"""How a command ends: its exit code, and one clear message instead of a traceback.

0    done
1    it failed; what is wrong and what to do is on standard error (`telic diff`: the programs differ)
2    the command line itself is wrong: an unknown option, program, metric or file
3    a budget was reached; what was paid for is kept
130  interrupted; what was paid for is kept
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from telic.errors import BudgetExceededError, TelicError

OK, FAILED, USAGE, BUDGET, INTERRUPTED = 0, 1, 2, 3, 130


class Guarded(TyperGroup):
    """The root command: takes `--debug` anywhere, and turns errors into messages and exit codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the line, for runs to note, and take `--debug` out of it before the commands see it."""
        ctx.meta["telic.line"] = list(args)
        if "--debug" in args:
            ctx.meta["telic.debug"] = True
            args = [arg for arg in args if arg != "--debug"]
        remaining: list[str] = super().parse_args(ctx, args)
        return remaining

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; an error ends it with a message and the code it stands for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("Interrupted. What was paid for is kept; the same command goes on from there.")
            raise typer.Exit(INTERRUPTED) from None
        except TelicError as error:
            if ctx.meta.get("telic.debug") or os.environ.get("TELIC_DEBUG"):
                raise
            say(f"Error: {error}")
            raise typer.Exit(BUDGET if isinstance(error, BudgetExceededError) else FAILED) from None


def say(text: str) -> None:
    """Tell the person at the terminal; results alone go to standard output."""
    print(text, file=sys.stderr)


def fail(text: str, code: int = FAILED) -> Any:
    """End the command with a message; never returns."""
    say(f"Error: {text}")
    raise typer.Exit(code)
