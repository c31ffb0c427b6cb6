"""`telic cache`: the record of answered calls: how much there is, what is in it, and what can go."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer

from telic.cli.exits import say
from telic.cli.output import Json, heading, line, print_facts, print_json, print_table, size

cache = typer.Typer(
    no_args_is_help=True,
    help="The record of answered calls. Answers are taken from it when the same request is made again.",
)

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def _store() -> Any:
    from telic.store.default import default_store

    return default_store()


@cache.command()
def stats(as_json: Json = False) -> None:
    """Show where the record is, and how much is in it."""
    facts = _store().stats()
    if as_json:
        print_json(facts)
    else:
        print_facts({**facts, "bytes": size(facts["bytes"])})


@cache.command()
def search(
    text: Annotated[str, typer.Argument(help="Text that the request or the answer contains.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many, newest first.")] = 20,
    full: Annotated[bool, typer.Option("--full", help="Show whole prompts and answers.")] = False,
    as_json: Json = False,
) -> None:
    """Find recorded calls by a text in their request or answer."""
    found = list(_store().scan("calls", contains=text or None, limit=limit))
    if as_json:
        print_json([{"key": key, **row} for key, row in found])
    elif not found:
        line("Nothing found.")
    elif full:
        for key, row in found:
            heading(f"{key}  {row['request'].get('model')}  {_when(row)}")
            line(_prompt(row))
            line(f"[answer]\n{_answer(row)}")
    else:
        rows = [
            [key[:12], _when(row), row["request"].get("model"), _tail(_prompt(row)), _tail(_answer(row))]
            for key, row in found
        ]
        print_table(["key", "time", "model", "prompt ends", "answer"], rows)


@cache.command()
def prune(
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Calls older than this: 30m, 12h, 7d, 2w.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Calls of this model, as provider/name.")] = None,
    containing: Annotated[str | None, typer.Option(metavar="TEXT", help="Calls that contain a text.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All calls.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    as_json: Json = False,
) -> None:
    """Remove recorded calls; they are then asked, and paid for, again. Conditions add up."""
    if not (everything or older_than or model or containing):
        raise typer.BadParameter("say which: --older-than, --model, --containing, or --all.")
    before = time.time() - _seconds(older_than) if older_than else None
    store = _store()
    keys = [
        key
        for key, row in store.scan("calls", contains=containing)
        if (model is None or row["request"].get("model") == model)
        and (before is None or row.get("time", 0) < before)
    ]
    removed = 0
    if not dry_run:
        batches = iter(keys)
        while batch := list(islice(batches, 500)):
            removed += store.delete("calls", batch)
    if as_json:
        print_json({"found": len(keys), "removed": removed})
    else:
        line(f"{len(keys)} calls would be removed." if dry_run else f"{removed} calls removed.")


@cache.command("set-aside")
def set_aside(as_json: Json = False) -> None:
    """Rename a damaged record, so that a new one is begun. Nothing is deleted."""
    from telic.store.schema import set_aside as rename

    path = _path()
    if not path.exists():
        say(f"There is no record at {path}.")
        raise typer.Exit(1)
    target = rename(path)
    if as_json:
        print_json({"path": str(path), "now": str(target)})
    else:
        line(f"{path} is now {target}.")


def _path() -> Any:
    from telic.store.home import home

    return home() / "store.db"


def _seconds(age: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", age.strip())
    if match is None:
        raise typer.BadParameter(f"an age is a number and m, h, d or w, as in 7d; not '{age}'.")
    return float(match[1]) * _UNITS[match[2]]


def _when(row: dict[str, Any]) -> str:
    seconds = row.get("time")
    return (
        datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(seconds, (int, float))
        else ""
    )


def _prompt(row: dict[str, Any]) -> str:
    request = row["request"]
    if request.get("prompt") is not None:
        return str(request["prompt"])
    from telic.lm.transcript import content_text

    return "\n\n".join(f"[{m.get('role')}]\n{content_text(m.get('content'))}" for m in request["messages"])


def _answer(row: dict[str, Any]) -> str:
    return "\n".join(str(choice.get("text") or "") for choice in row["response"]["choices"])


def _tail(text: str, width: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else f"…{flat[1 - width :]}"
