"""Programs as files: one JSON file a person can read and compare, with the story of where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic.errors import ProgramFileError, ProgramFileMissingError, ProgramMismatchError, TelicError
from telic.program.model_folders import bundled, unbundled
from telic.program.states import dump_states, load_states
from telic.runtime.settings import settings

FORMAT = 1
"""Version of the file format; a file of a newer one is refused."""


def save_program_file(program: Any, path: str | Path) -> None:
    """Write state and provenance of `program` to `path`, atomically.

    Under `settings.state_layout = "dspy"`, the file is one that DSPy reads, and may be a pickle.
    """
    target = Path(path)
    if settings.state_layout == "dspy" and target.suffix in (".json", ".pkl"):
        _save_for_dspy(program, target)
        return
    if target.suffix != ".json":
        raise ProgramFileError(f"Programs are saved as JSON: '{target.name}' should end in '.json'.")
    row: dict[str, Any] = {
        "telic": {
            "format": FORMAT,
            "program": f"{type(program).__module__}.{type(program).__qualname__}",
            "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "state": bundled(dump_states(program), target),
    }
    if program.provenance:
        row["provenance"] = dict(program.provenance)
    write_atomic(target, dumps(row, indent=2) + "\n")


def _save_for_dspy(program: Any, target: Path) -> None:
    from telic.program.pickled import dependency_versions, save_state

    if target.suffix == ".pkl":
        save_state(dump_states(program, json_mode=False), target)
        return
    row = {**_flat(program), "metadata": {"dependency_versions": dependency_versions(of_dspy=True)}}
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, dumps(row, indent=2) + "\n")


def _flat(program: Any) -> dict[str, Any]:
    """States by path; those of a lone predictor without one."""
    state: dict[str, Any] = program.dump_state()
    return state


def read_program_file(path: str | Path) -> dict[str, Any]:
    """Read a program file into `{"telic", "state", "provenance"?}`; a file saved by DSPy is brought into that
    form.

    Raises:
        ProgramFileError: missing, not JSON, not a program, or of a newer format.
    """
    target = Path(path)
    try:
        row = json.loads(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProgramFileMissingError(f"There is no program file '{target}'.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProgramFileError(f"The program file '{target}' cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise ProgramFileError(
            f"The program file '{target}' is damaged: not JSON at line {error.lineno}, column {error.colno}."
        ) from error
    if not isinstance(row, Mapping):
        raise ProgramFileError(f"The file '{target}' is not a program: it holds a JSON {type(row).__name__}.")
    if "telic" not in row:
        return _foreign(row, target)
    form = row["telic"].get("format") if isinstance(row["telic"], Mapping) else None
    if not isinstance(form, int) or not isinstance(row.get("state"), Mapping):
        raise ProgramFileError(
            f"The program file '{target}' is damaged: it has no readable format number or state."
        )
    if form > FORMAT:
        raise ProgramFileError(
            f"The program file '{target}' has format {form}; this telic reads up to {FORMAT}. Upgrade telic "
            "to load it."
        )
    return dict(row)


def _foreign(row: Mapping[str, Any], target: Path) -> dict[str, Any]:
    states = {path: state for path, state in row.items() if path != "metadata"}
    if "signature" in states and "demos" in states:
        states = {"self": {k: v for k, v in row.items() if k != "metadata"}}
    if not states or not any(isinstance(s, Mapping) and "signature" in s for s in states.values()):
        raise ProgramFileError(f"The file '{target}' is not a saved program: no predictor states in it.")
    return {"telic": {"format": FORMAT, "program": None, "saved": None}, "state": states}


def load_program_file(
    program: Any, path: str | Path, *, allow_pickle: bool = False, allow_unsafe_lm_state: bool = False
) -> None:
    """Set `program` to the state in the file at `path`."""
    if Path(path).suffix == ".pkl":
        from telic.program.pickled import load_state

        row = _foreign(load_state(Path(path), allow_pickle=allow_pickle), Path(path))
    else:
        row = read_program_file(path)
    try:
        row["state"] = unbundled(row["state"], Path(path))
        load_states(program, row["state"], allow_unsafe_lm_state=allow_unsafe_lm_state)
    except TelicError as error:
        saved = row["telic"].get("program")
        source = f" It was saved from {saved}." if saved else ""
        kind = ProgramMismatchError if isinstance(error, ProgramMismatchError) else ProgramFileError
        raise kind(
            f"The program file '{path}' does not fit {type(program).__name__}: {error}{source}"
        ) from error
    if row.get("provenance"):
        program.provenance = row["provenance"]
