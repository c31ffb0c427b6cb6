"""Facts about DSPy's public names (tests/compat/api.tsv), and what is compatible with them.

As a program (`python -m tests.compat.manifest LIST`) it makes the file of facts out of a list of lines
`path <tab> kind <tab> signature`, keeping names, kinds and parameters.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("api.tsv")


@dataclass(frozen=True)
class Parameter:
    """`kind` is one of `/` (by position only), `` (either), `*` (by name only), `*args` and `**kwargs`."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True)
class Fact:
    """One public name."""

    path: str
    kind: str
    parameters: tuple[Parameter, ...]

    @property
    def what(self) -> str:
        """The kind without `async`, `static` and the like."""
        return self.kind.split()[-1]


def facts() -> list[Fact]:
    """All of them, in the order of the file."""
    rows = [line.split("\t") for line in FACTS.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    return [Fact(path, kind, tuple(_parameters(text))) for path, kind, text in rows]


def _parameters(text: str) -> list[Parameter]:
    found = []
    for word in text.split():
        kind = next((mark for mark in ("**", "*", "/", "=") if word.startswith(mark)), "")
        name = word.lstrip("*/=").rstrip("=")
        kinds = {"**": "**kwargs", "*": "*args", "/": "/", "=": "*", "": ""}
        found.append(Parameter(name, kinds[kind], not word.endswith("=")))
    return found


# What is there.


def resolve(path: str) -> Any:
    """What a dotted path means now.

    Raises:
        ImportError, AttributeError: nothing.
    """
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        try:
            for part in parts[length:]:
                value = (
                    inspect.getattr_static(value, part) if isinstance(value, type) else getattr(value, part)
                )
        except AttributeError:
            if length > 1:
                continue
            raise
        return value
    raise ImportError(path)


COMPATIBLE_ANYWAY = {
    # Its second argument may be the keywords, as documented.
    "dspy.PythonInterpreter.invoke_tool": "takes 'args' where 'kwargs' stands",
    # Steps of GRPO's own training loop; here the engine runs the loop.
    **{
        f"dspy.teleprompt.grpo.GRPO.{name}": f"is not there ({name})"
        for name in (
            "report_validation_metrics",
            "select_training_sample_and_update_shuffled_trainset",
            "update_shuffled_trainset",
            "validate_trace_data_and_log_issues",
        )
    },
}


def problem(fact: Fact) -> str | None:
    """Why a name is not compatible; `None` where it is."""
    found = _problem(fact)
    return None if found == COMPATIBLE_ANYWAY.get(fact.path) else found


def _problem(fact: Fact) -> str | None:
    try:
        value = resolve(fact.path)
    except (ImportError, AttributeError) as error:
        return f"is not there ({error})"
    if type(value).__name__ == "Absent":
        return f"absent: {value!r}"
    if fact.what == "module":
        return None if inspect.ismodule(value) else "is no module"
    if fact.what in ("property", "alias", "value"):
        return None
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if not callable(value):
        return "cannot be called"
    return _unlike(fact, value)


def _unlike(fact: Fact, value: Any) -> str | None:
    wanted = [p for p in fact.parameters if p.name not in ("self", "cls", "mcs")]
    if any(p.kind in ("*args", "**kwargs") for p in wanted) and isinstance(value, type):
        wanted = [p for p in wanted if p.kind not in ("*args", "**kwargs")]
        if not wanted:  # a class that takes any data, as models do
            return None
    try:
        mine = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return None
    if mine and mine[0].name in ("self", "cls", "mcs") and not isinstance(value, type):
        mine = mine[1:]
    return _compared(wanted, mine)


def _compared(wanted: list[Parameter], mine: list[inspect.Parameter]) -> str | None:
    by_name = {p.name: p for p in mine}
    positional = [p for p in mine if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    any_position = any(p.kind is p.VAR_POSITIONAL for p in mine)
    any_name = any(p.kind is p.VAR_KEYWORD for p in mine)
    for place, parameter in enumerate(p for p in wanted if p.kind in ("", "/")):
        here = positional[place].name if place < len(positional) else None
        if here != parameter.name and parameter.kind != "/" and not any_position:
            return f"takes {here!r} where {parameter.name!r} stands"
    for parameter in wanted:
        own = by_name.get(parameter.name)
        if parameter.kind in ("", "*"):
            if own is None and not any_name:
                return f"takes no {parameter.name!r}"
            if own is not None and own.kind is own.POSITIONAL_ONLY:
                return f"takes {parameter.name!r} by position only"
            if own is not None and own.default is own.empty and not parameter.required:
                return f"insists on {parameter.name!r}"
        elif parameter.kind == "*args" and not any_position:
            return "takes no further positional arguments"
        elif parameter.kind == "**kwargs" and not any_name:
            return "takes no further named arguments"
    known = {p.name for p in wanted}
    for own in mine:
        needed = own.default is own.empty and own.kind not in (own.VAR_POSITIONAL, own.VAR_KEYWORD)
        if needed and own.name not in known and not any(p.kind in ("*args", "/") for p in wanted):
            return f"insists on {own.name!r}, which is not documented"
    return None


# Making the file of facts.


def _facts_of(source: Path) -> list[str]:
    lines = [
        "# DSPy's public names, kinds and parameters: `/x` by position only, `=x` by name only, `x=` optional."
    ]
    for line in source.read_text(encoding="utf-8").splitlines():
        if line[:1] == "#" or not line.strip():
            continue
        path, kind, signature, *_ = [*line.split("\t"), ""]
        lines.append("\t".join((path, kind, _words(signature))))
    return lines


def _words(signature: str) -> str:
    if not signature.startswith("("):
        return ""
    arguments = _arguments(signature)
    optional = len(arguments.defaults)
    named = [*arguments.posonlyargs, *arguments.args]
    plain = [("/" if a in arguments.posonlyargs else "") + a.arg for a in named]
    words = [w + "=" if place >= len(named) - optional else w for place, w in enumerate(plain)]
    if arguments.vararg:
        words.append(f"*{arguments.vararg.arg}")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        words.append(f"={argument.arg}" + ("=" if default is not None else ""))
    if arguments.kwarg:
        words.append(f"**{arguments.kwarg.arg}")
    return " ".join(words)


def _arguments(signature: str) -> ast.arguments:
    import re

    text = re.sub(r"<[^<>]*(?:<[^<>]*>[^<>]*)*>", "None", signature)
    text = re.sub(r"^\(/, ", "(", text)
    text = re.sub(r"\{~.*?~\}|~[A-Z]\w*", "None", text)
    function = ast.parse(f"def f{text}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.args


if __name__ == "__main__":
    FACTS.write_text("\n".join(_facts_of(Path(sys.argv[1]))) + "\n", encoding="utf-8")
