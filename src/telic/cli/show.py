"""`telic show`: a saved program as a person reads it: prompts, demos, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from telic.cli.output import Json, heading, line, print_facts, print_json, print_table
from telic.cli.programs import predictor_of, program_file
from telic.errors import TelicError


def show(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A saved program (.json).")],
    prompts: Annotated[
        bool, typer.Option("--prompts/--no-prompts", help="Also show each prompt as the model reads it.")
    ] = True,
    adapter: Annotated[
        str | None,
        typer.Option("--adapter", help="Show prompts as this adapter writes them; by default the program's."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a saved program: its predictors' instructions, fields, demos and prompts, and its provenance."""
    row = program_file(path)
    if as_json:
        print_json(row)
        return
    line(f"{path}: {row['telic'].get('program') or 'a program saved by another library'}")
    print_facts({"saved": row["telic"].get("saved"), "format": row["telic"].get("format")})
    _provenance(row.get("provenance"))
    for name, state in row["state"].items():
        _predictor(name, state)
        if prompts:
            _prompt(name, state, adapter or _adapter_of(row, state))


def _adapter_of(row: Mapping[str, Any], state: Mapping[str, Any]) -> Any:
    """The adapter that the predictor has, else the one that its model is spoken to through."""
    if state.get("adapter"):
        return None
    model = (state.get("lm") or {}).get("model") or (row.get("provenance") or {}).get("lm") or ""
    return "completion" if str(model).startswith("local/") else "chat"


def _provenance(facts: Mapping[str, Any] | None) -> None:
    if not facts:
        return
    heading("provenance")
    tables = ("candidates", "fingerprints", "notes", "comparison", "parameters", "training")
    print_facts({name: value for name, value in facts.items() if name not in tables})
    for name in ("comparison", "parameters"):
        if facts.get(name):
            heading(name)
            print_facts(dict(facts[name]))
    for trained in facts.get("training") or ():
        heading(f"trained for {', '.join(trained['predictors'])}")
        print_facts({name: value for name, value in trained.items() if name != "predictors"})
    if facts.get("candidates"):
        heading("candidates, best first")
        rows = [[c["label"], c.get("score"), c.get("interval"), c["examples"]] for c in facts["candidates"]]
        print_table(["candidate", "score %", "95 % interval", "examples"], rows)
    for note in facts.get("notes") or ():
        line(f"note: {note}")


def _predictor(name: str, state: Mapping[str, Any]) -> None:
    heading(f"predictor {name}")
    line(state["signature"]["instructions"])
    line()
    fields = state["signature"]["fields"]
    columns = ["field", "role", "type", "description"]
    rows = [
        [
            f.get("name") or f.get("prefix"),
            f.get("role"),
            f.get("type"),
            f.get("desc") or f.get("description"),
        ]
        for f in fields
    ]
    print_table(columns, rows)
    lm = state.get("lm") or {}
    trained = lm.get("trained") or {}
    print_facts(
        {
            "LM": lm.get("model"),
            "trained from": trained.get("base"),
            "model folder": trained.get("folder"),
            "adapter": (state.get("adapter") or {}).get("name"),
            "settings": state.get("config") or None,
        }
    )
    demos = state["demos"]
    heading(f"{name}: {len(demos)} demos")
    for number, demo in enumerate(demos, 1):
        line(f"{number}.")
        print_facts({f"   {key}": _short(value) for key, value in demo.items()})


def _prompt(name: str, state: Mapping[str, Any], adapter: str | None) -> None:
    """The request with `{field}` in place of each input; left out where only the code knows the types."""
    try:
        predictor = predictor_of(state)
        text = prompt_text(predictor, adapter)
    except TelicError as error:
        heading(f"{name}: the prompt cannot be shown")
        line(str(error))
        return
    heading(f"{name}: prompt")
    line(text)


def prompt_text(predictor: Any, name: str | None) -> str:
    """What a model reads through the adapter of that name (or its own), with `{field}` where inputs go."""
    from telic.adapters import Adapter, adapter_by_name
    from telic.types import Capabilities

    adapter = name or predictor.adapter
    if not isinstance(adapter, Adapter):
        adapter = adapter_by_name(adapter)
    inputs = {name: "{" + name + "}" for name in predictor.signature.input_fields}
    rendered = adapter.render(predictor.signature, predictor.demos, inputs, Capabilities(completion=True))
    if rendered.prompt is not None:
        return str(rendered.prompt)
    return "\n\n".join(f"[{m['role']}]\n{m['content']}" for m in rendered.messages or ())


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else None
    if text is None:
        return value
    flat = " ".join(text.split())
    return flat if len(flat) <= 300 else f"{flat[:299]}…"
