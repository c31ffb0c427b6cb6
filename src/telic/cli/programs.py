"""PROGRAM on the command line: a signature, an object in code, or a saved program; its LM and adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from telic.cli.targets import load_object
from telic.errors import ProgramFileError, TelicError

PROGRAM_HELP = (
    "'module:object' or 'file.py:object' (an instance, or a class or function that makes one), a signature "
    "such as 'question -> answer', or a saved program (.json; with --program if it has several predictors)."
)


def load_program(spec: str, base: str | None = None) -> Any:
    """Make the program that the command line names.

    Args:
        spec: PROGRAM as written.
        base: `--program`: the code of a saved program, where `spec` is its file.

    Raises:
        BadParameter: the name leads nowhere, or to something that is not a program.
        ProgramFileError: the saved program is damaged or of another program.
    """
    if spec.endswith(".json"):
        return _saved(spec, base)
    if base is not None:
        raise typer.BadParameter("--program goes with a saved program (.json).")
    return from_code(spec)


def from_code(spec: str) -> Any:
    """A program from a signature or from an object in Python code; a class or function is called for one."""
    from telic.program.module import Module
    from telic.program.predict import Predict

    if "->" in spec:
        return Predict(spec)
    value = load_object(spec, "program")
    if not isinstance(value, Module) and callable(value):
        value = value()
    if not isinstance(value, Module):
        raise typer.BadParameter(f"'{spec}' is a {type(value).__name__}, not a program (a telic.Module).")
    return value


def _saved(path: str, base: str | None) -> Any:
    from telic.program.files import read_program_file

    row = read_program_file(path)
    if base is not None:
        program = from_code(base)
    elif set(row["state"]) == {"self"}:
        program = predictor_of(row["state"]["self"])
        program.provenance = row.get("provenance")
        return program
    else:
        source = row["telic"].get("program")
        hint = f" It was saved from {source}." if source else ""
        raise typer.BadParameter(
            f"'{path}' has the predictors {', '.join(row['state'])}: say with --program whose they are.{hint}"
        )
    program.load(path)
    return program


def predictor_of(state: Mapping[str, Any]) -> Any:
    """A predictor with the fields that its saved state describes, and everything in it.

    Raises:
        SignatureError: the state has no names and types (an older file), or types that only the code knows.
    """
    from telic.errors import SignatureError
    from telic.program.predict import Predict
    from telic.signatures import make_signature

    sides: dict[str, list[str]] = {"input": [], "output": []}
    for row in state["signature"]["fields"]:
        if "name" not in row or row.get("role") not in sides:
            raise SignatureError("The saved signature has no field names: say with --program what it is of.")
        sides[row["role"]].append(f"{row['name']}: {row['type']}")
    predictor = Predict(make_signature(f"{', '.join(sides['input'])} -> {', '.join(sides['output'])}"))
    return predictor.load_state(state)


def use_lm(
    program: Any,
    name: str | None,
    *,
    api_base: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    adapter: str | None = None,
) -> None:
    """Set the LM and adapter of the command line as this process's, over what a saved program brings."""
    from telic.lm.model import LM
    from telic.runtime.settings import configure

    if name is not None:
        connection: dict[str, Any] = {"api_base": api_base} if api_base else {}
        configure(lm=LM(name, temperature=temperature, max_tokens=max_tokens, **connection))
        program.set_lm(None)
    elif api_base or temperature is not None or max_tokens is not None:
        raise typer.BadParameter("--api-base, --temperature and --max-tokens go with --lm.")
    if adapter is not None:
        from telic.adapters import adapter_by_name

        try:
            adapter_by_name(adapter)
        except (TelicError, ValueError, KeyError) as error:
            raise typer.BadParameter(f"--adapter {adapter}: {error}") from None
        for predictor in program.predictors():
            predictor.adapter = adapter


def input_names(program: Any, names: str | None) -> list[str] | None:
    """The input fields of the examples: `--inputs a,b`, or what the program takes; `None` if not known."""
    if names:
        return [name.strip() for name in names.split(",") if name.strip()]
    import inspect

    from telic.program.predict import Predict

    if isinstance(program, Predict):
        return list(program.signature.input_fields)
    entry = getattr(program, "forward", None) or getattr(program, "aforward", None)
    parameters = inspect.signature(entry).parameters.values() if entry else ()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if named:
        return named
    predictors = program.predictors()
    return list(predictors[0].signature.input_fields) if predictors else None


def output_names(program: Any) -> list[str]:
    """The outputs of a program's last predictor."""
    predictors = program.predictors()
    return list(predictors[-1].signature.output_fields) if predictors else []


def program_file(path: Path) -> dict[str, Any]:
    """A program file as JSON.

    Raises:
        ProgramFileError: it is missing, damaged or not a program.
    """
    from telic.program.files import read_program_file

    row = read_program_file(path)
    if not row["state"]:
        raise ProgramFileError(f"The program file '{path}' has no predictors.")
    return row
