"""The `telic` command: evaluate, compile, look at and compare programs from a shell."""

from __future__ import annotations


def main() -> None:
    """Run the command line and leave with its exit code (see `telic.cli.exits`)."""
    from telic.cli.app import app

    app(prog_name="telic")
