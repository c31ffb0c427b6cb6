"""Values that tell an interpreter themselves how to rebuild them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from telic.sandbox.repl import REPLVariable

if TYPE_CHECKING:
    from telic.sandbox.interpreter import CodeInterpreter


class SandboxSerializable(ABC):
    """Base of types that `RLM` can put into an interpreter though they are not plain data, such as tables.

    Derive from it and say how; the class can then be the type of a signature's input.

        class Table(SandboxSerializable):
            def __init__(self, rows): self.rows = rows
            def sandbox_setup(self): return "import json"
            def to_sandbox(self): return json.dumps(self.rows).encode()
            def sandbox_assignment(self, var_name, data_expr): return f"{var_name} = json.loads({data_expr})"
            def rlm_preview(self, max_chars=500): return f"a table of {len(self.rows)} rows"
    """

    @abstractmethod
    def sandbox_setup(self) -> str:
        """Statements to run before, usually imports; the model is shown them."""

    @abstractmethod
    def to_sandbox(self) -> bytes:
        """The value as bytes; where they are UTF-8, the code gets them as text."""

    @abstractmethod
    def sandbox_assignment(self, var_name: str, data_expr: str) -> str:
        """Code that rebuilds the value.

        Args:
            var_name: the variable to assign.
            data_expr: the expression that gives what `to_sandbox` returned.
        """

    @abstractmethod
    def rlm_preview(self, max_chars: int = 500) -> str:
        """A short description of the value for the model."""

    def to_repl_variable(self, name: str, field_info: Any = None) -> REPLVariable:
        """What the model is told of it.

        Args:
            name: the variable.
            field_info: the signature's field, for its description.
        """
        return REPLVariable.of(name, self, field_info)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)


def assign(interpreter: CodeInterpreter, name: str, value: SandboxSerializable) -> None:
    """Rebuild `value` in an interpreter under `name`.

    Raises:
        CodeExecutionError: its code raised there.
    """
    data = value.to_sandbox()
    raw = f"_raw_{name}"
    setup = value.sandbox_setup()
    try:
        given, before = {raw: data.decode()}, ""
    except UnicodeDecodeError:
        import base64

        coded = f"{raw}_base64"
        given = {coded: base64.b64encode(data).decode("ascii")}
        before = f"import base64\n{raw} = base64.b64decode({coded})"
    lines = [part for part in (before, setup, value.sandbox_assignment(name, raw)) if part]
    interpreter.execute("\n".join(lines), given)
