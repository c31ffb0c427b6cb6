"""`telic runs`: what was compiled, how it went, and going on with what was cut short."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from telic.cli.exits import fail, say
from telic.cli.output import Json, heading, line, print_facts, print_json, print_table

runs = typer.Typer(no_args_is_help=True, help="Recorded runs: each compile, with every score it made.")

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, or its beginning.")]


@runs.command("list")
def list_runs(
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List the runs, newest first."""
    found = list(_store().scan("runs", limit=limit))
    if as_json:
        print_json([{**row, "id": key} for key, row in found])
    elif not found:
        line("No runs yet.")
    else:
        rows = [
            [key, row.get("started"), row.get("state"), row.get("optimizer"), row.get("program"), _best(row)]
            for key, row in found
        ]
        print_table(["run", "started", "state", "optimizer", "program", "best %"], rows)


@runs.command()
def show(run: RunId, as_json: Json = False) -> None:
    """Show a run: what it was about, its candidates and what it took."""
    key, row = _find(run)
    events = list(_store().read(key))
    if as_json:
        print_json({**row, "id": key, "events": len(events)})
        return
    known = ("id", "result", "fingerprints")
    print_facts({"run": key, **{name: value for name, value in row.items() if name not in known}})
    scored = sum(event["type"] == "scored" for event in events)
    print_facts({"scores": scored, "errors": sum(event["type"] == "error" for event in events) or None})
    result = row.get("result") or {}
    if result.get("error"):
        heading("error")
        line(result["error"])
    candidates = result.get("candidates") or _standing(events)
    if candidates:
        heading("candidates")
        rows = [[c["label"], c.get("score"), c.get("interval"), c["examples"]] for c in candidates]
        print_table(["candidate", "score %", "95 % interval", "examples"], rows)


@runs.command()
def resume(context: typer.Context, run: RunId) -> None:
    """Go on with a run of `telic compile`: the same command in the same folder, nothing paid for twice."""
    key, row = _find(run)
    command, folder = list(row.get("command") or ()), row.get("folder") or ""
    if not command:
        fail(f"The run {key} was begun from Python. Run the same compile again, and it goes on by itself.")
    if row.get("state") == "finished":
        fail(f"The run {key} is finished; there is nothing to go on with.")
    if not Path(folder).is_dir():
        fail(f"The run {key} was begun in '{folder}', which is not there any more.")
    say(f"telic {' '.join(command)}")
    os.chdir(folder)
    code = context.find_root().command.main(args=command, prog_name="telic", standalone_mode=False)
    raise typer.Exit(code if isinstance(code, int) else 0)


@runs.command()
def export(
    run: RunId,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write here; by default to standard output.")
    ] = None,
) -> None:
    """Write a run's journal as JSON lines: the run itself, then every event."""
    from telic._json import dumps, write_atomic

    key, row = _find(run)
    text = "".join(dumps(item) + "\n" for item in [{**row, "id": key, "type": "run"}, *_store().read(key)])
    if out is None:
        line(text.rstrip("\n"))
    else:
        write_atomic(out, text)
        say(f"{out}: {text.count(chr(10))} lines")


def _standing(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The candidates of a run that has no result yet, as its journal knows them."""
    from telic.optimize.progress import Progress
    from telic.optimize.strategy import Outcome

    progress = Progress("", show=False)
    labels = {e["candidate"]: e["why"].partition(",")[0] for e in events if e["type"] == "proposed"}
    for event in events:
        if event["type"] == "scored" and event["pool"] == "val" and not event.get("teacher"):
            digest, outcome = event["candidate"], Outcome.from_json(event)
            progress.stand(digest, labels.get(digest) or digest[:8], outcome.example, outcome.score)
    return [standing.row() for standing in progress.ranked()]


def _store() -> Any:
    from telic.store.default import default_store

    return default_store()


def _find(prefix: str) -> tuple[str, dict[str, Any]]:
    row = _store().get("runs", prefix)
    if row is not None:
        return prefix, row
    found = [(key, row) for key, row in _store().scan("runs") if key.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    if found:
        raise typer.BadParameter(
            f"'{prefix}' begins {len(found)} runs: {', '.join(k for k, _ in found[:10])}."
        )
    raise typer.BadParameter(f"there is no run '{prefix}'. `telic runs list` shows them.")


def _best(row: dict[str, Any]) -> Any:
    candidates = (row.get("result") or {}).get("candidates") or []
    return candidates[0].get("score") if candidates else None
