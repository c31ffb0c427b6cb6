"""What an interpreter is to the modules that run code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class CodeInterpreter(Protocol):
    """Runs Python that an LM wrote. Bring your own by having these members.

    An instance is one session: what one `execute` defines, the next one sees, until `shutdown`. A class (or
    other factory) may have a text `execution_instructions`, which tells the model what runs its code.
    """

    @property
    def tools(self) -> dict[str, Callable[..., Any]]:
        """Functions of this process that the code can call by name; modules add theirs to the dict."""
        ...

    def start(self) -> None:
        """Get ready to execute; `execute` does so by itself. A second call does nothing."""
        ...

    def execute(self, code: str, variables: dict[str, Any] | None = None) -> Any:
        """Run `code`.

        Args:
            code: Python source.
            variables: bound as global names before it runs.

        Returns:
            `FinalOutput` where the code called `SUBMIT`; otherwise what it printed, or the value of its last
            line, or `None`.

        Raises:
            CodeExecutionError: the code raised or was stopped; other code may follow.
            CodeSyntaxError: it does not parse (a `SyntaxError` too).
            CodeInterpreterError: the interpreter is out of order; nothing can follow.
        """
        ...

    def shutdown(self) -> None:
        """End the session and release what it held. A second call does nothing."""
        ...


class FinalOutput:
    """What code submitted as its answer.

    Args:
        output: usually a dict by output field.
    """

    __slots__ = ("output",)

    def __init__(self, output: Any) -> None:
        self.output = output

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FinalOutput) and self.output == other.output

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"FinalOutput({self.output!r})"


def submitted(args: tuple[Any, ...], kwargs: Mapping[str, Any], fields: list[dict[str, Any]] | None) -> Any:
    """What a call of `SUBMIT` means.

    Args:
        args: its positional arguments: values in the order of the fields, or one dict of them all.
        kwargs: its keyword arguments: values by field.
        fields: `{"name": …}` for each output; where there are none, anything goes.

    Returns:
        A dict by field; `{"output": value}` for a single value where no fields are known.

    Raises:
        TypeError: the arguments do not fit the fields; the message says how to call it.
    """
    if not fields:
        if len(args) + len(kwargs) == 0 or (args and kwargs) or len(args) > 1:
            raise TypeError("SUBMIT takes one value, or values by keyword.")
        return dict(kwargs) if kwargs else {"output": args[0]}
    names = [str(field["name"]) for field in fields]
    if len(args) == 1 and not kwargs and isinstance(args[0], dict) and set(args[0]) == set(names):
        return {name: args[0][name] for name in names}
    values = dict(zip(names, args, strict=False))
    doubled = [name for name in values if name in kwargs]
    values.update(kwargs)
    missing = [name for name in names if name not in values]
    unknown = [name for name in kwargs if name not in names]
    if missing or unknown or doubled or len(args) > len(names):
        problem = f" It lacks {', '.join(missing)}." if missing else ""
        problem += f" It has no field {', '.join(unknown)}." if unknown else ""
        raise TypeError(f"Call SUBMIT({', '.join(names)}) with one value for each output.{problem}")
    return values
