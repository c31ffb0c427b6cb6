"""`telic models`: the weights on this machine, and those that can be fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from telic.cli.exits import say
from telic.cli.output import Json, line, print_json, print_table, size

models = typer.Typer(
    no_args_is_help=True, help="Weights of models that run inside the process: LM('local/NAME')."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in LM('local/NAME').")]


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """List the models that are here, and those that can be pulled by name."""
    from telic.lm.weights import catalogue, installed

    here = {model.name: model for model in installed()}
    rows: list[dict[str, Any]] = [
        {
            "name": known.name,
            "here": known.name in here,
            "size": known.size,
            "licence": known.licence,
            "context": known.context_window,
            "what": f"{known.title}: {known.note}",
        }
        for known in catalogue()
    ]
    listed = {row["name"] for row in rows}
    rows += [
        {
            "name": model.name,
            "here": True,
            "size": model.size,
            "licence": model.licence,
            "what": str(model.path),
        }
        for model in here.values()
        if model.name not in listed
    ]
    if as_json:
        print_json(rows)
        return
    columns = ["name", "here", "size", "licence", "what"]
    print_table(columns, [[size(row[c]) if c == "size" else row[c] for c in columns] for row in rows])


@models.command()
def pull(
    name: Name,
    accept: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the model's terms without being asked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch the weights of a model, checked against a pinned hash. Terms to be accepted are shown first."""
    from telic.lm import weights

    path = weights.pull(name, progress=not as_json, accept_licence=True if accept else _ask)
    if as_json:
        print_json({"name": name.removeprefix("local/"), "path": str(path)})
    else:
        line(str(path))


def _ask(terms: str) -> bool:
    """Show the terms and ask; where nobody can be asked, they are not accepted."""
    say(terms)
    if not sys.stdin.isatty():
        return False
    return typer.confirm("Do you accept these terms?", err=True)


@models.command()
def add(
    path: Annotated[Path, typer.Argument(help="A GGUF file of yours.")],
    name: Annotated[
        str | None, typer.Option("--name", help="What to call it; by default the file's name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a GGUF file among the models, so that it has a name."""
    from telic.lm import weights

    added = weights.add(path, name)
    if as_json:
        print_json({"name": added.name, "path": str(added.path), "size": added.size})
    else:
        line(f"{added.name}: {added.path} ({size(added.size)}). Use it as LM('local/{added.name}').")


@models.command("rm")
def remove(name: Name, as_json: Json = False) -> None:
    """Delete the weights of a model from this machine."""
    from telic.lm import weights

    freed = weights.remove(name)
    if as_json:
        print_json({"name": name.removeprefix("local/"), "freed": freed})
    else:
        line(f"{name.removeprefix('local/')}: removed, {size(freed)} free.")
