"""An interpreter that plays back results, and keeps what it was given."""

from __future__ import annotations

from typing import Any


class Scripted:
    """Each `execute` takes the next of `script`: an exception is raised, a function is called with this."""

    execution_instructions = "The code is run by a scripted interpreter."

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.tools: dict[str, Any] = {}
        self.output_fields: list[dict[str, Any]] | None = None
        self.ran: list[tuple[str, dict[str, Any] | None]] = []
        self.started = 0
        self.ended = 0

    def start(self) -> None:
        self.started += 1

    def execute(self, code: str, variables: dict[str, Any] | None = None) -> Any:
        self.ran.append((code, variables))
        result = self.script.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result(self) if callable(result) else result

    def shutdown(self) -> None:
        self.ended += 1
