"""Functions that a model may call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ModelWrapValidatorHandler, PrivateAttr, model_validator

from telic._json import dumps
from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.tool_arguments import Arguments, read_arguments
from telic.types.tool_host import tool_host
from telic.types.tool_schema import arguments_of, doc_of, name_of

if TYPE_CHECKING:
    from typing import Self


class Tool(Type):
    """A function with what a model must know to call it, found out from its signature and docstring.

    Sync and async functions both work from both kinds of program: `tool(...)` waits for an async one,
    `await tool.acall(...)` runs a blocking one in a thread. Arguments are checked and converted first.

    Args:
        func: the function, or an object that can be called. Another tool gives what is not given here.
        name: what the model calls it by; its own name by default.
        desc: what it does; its docstring by default, without the section on arguments.
        args: a JSON schema by argument name; from the annotations by default.
        arg_types: a Python type by argument name; the annotations by default.
        arg_desc: a description by argument name; from the docstring by default.

    Raises:
        InputError: the arguments cannot be described (a `ValueError`).
    """

    func: Callable[..., Any]
    name: str | None = None
    desc: str | None = None
    args: dict[str, Any] | None = None
    arg_types: dict[str, Any] | None = None
    arg_desc: dict[str, str] | None = None
    has_kwargs: bool = False

    _required: set[str] = PrivateAttr(default_factory=set)
    _positional: tuple[str, ...] = PrivateAttr(default=())
    _afunc: Callable[..., Any] | None = PrivateAttr(default=None)
    """The async twin of `func`, where there are two ways to do the same."""
    _rewritten: bool = PrivateAttr(default=False)
    """Whether an optimizer changed its texts, so that they are saved with the program."""
    _built_in: bool = PrivateAttr(default=False)
    """Whether a module brought it along, so that its texts are not for optimizers."""
    _home: Any = PrivateAttr(default=None)
    """The event loop that the tool's connection lives on, if it lives on one."""

    def __init__(
        self,
        func: Callable[..., Any],
        name: str | None = None,
        desc: str | None = None,
        args: dict[str, Any] | None = None,
        arg_types: dict[str, Any] | None = None,
        arg_desc: dict[str, str] | None = None,
        has_kwargs: bool | None = None,
    ) -> None:
        if isinstance(func, Tool):
            super().__init__(**_changed(func, name, desc, args, arg_types, arg_desc))
            for private in ("_required", "_positional", "_afunc", "_home"):
                setattr(self, private, getattr(func, private))
            return
        known = arguments_of(_callable(func), arg_types or {}, args)
        own_desc, told = doc_of(func)
        _describe(known.schemas, {**told, **(arg_desc or {})})
        fields = {
            "func": func,
            "name": name or name_of(func),
            "desc": own_desc if desc is None else desc,
            "args": known.schemas,
            "arg_types": known.types,
            "arg_desc": arg_desc,
            "has_kwargs": known.open if has_kwargs is None else has_kwargs,
        }
        super().__init__(**fields)
        self._required = known.required
        self._positional = known.positional

    def __call__(self, /, **kwargs: Any) -> Any:
        """Call it and wait for the value. What the function raises goes through.

        Raises:
            InputError: an argument is missing, unknown or not of its type.
        """
        host = tool_host()
        with host.around(self, kwargs) as done:
            self._refuse_at_home()
            call = self._bound(self.func, kwargs)
            if is_async(self.func):
                value = host.run(self, call)
            else:
                value = call()
                if inspect.isawaitable(value):
                    value = host.run(self, functools.partial(_itself, value))
            done(value)
        return value

    async def acall(self, /, **kwargs: Any) -> Any:
        """Call it on the running loop. Raises as `__call__` does."""
        host = tool_host()
        with host.around(self, kwargs) as done:
            function = self._afunc or self.func
            call = self._bound(function, kwargs)
            value = call() if is_async(function) else await host.in_thread(self, call)
            if inspect.isawaitable(value):
                value = await value
            done(value)
        return value

    def format(self) -> str:
        """Name, description and arguments on one line."""
        desc = f": {' '.join(self.desc.split())}" if self.desc else ""
        return f"{self.name}{desc}{'' if desc.endswith('.') else '.'} Arguments: {dumps(self.args or {})}"

    def format_as_litellm_function_call(self) -> dict[str, Any]:
        """The tool in OpenAI's shape, for a request's `tools`."""
        schemas = self.args or {}
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.desc or "",
                "parameters": {
                    "type": "object",
                    "properties": schemas,
                    "required": [name for name in schemas if name in self._required],
                },
            },
        }

    @classmethod
    def from_mcp_tool(
        cls,
        session: Any,
        tool: Any,
        *,
        result_mode: Literal["text", "structured"] = "text",
        loop: Any = None,
    ) -> Tool:
        """A tool of an MCP server.

        Args:
            session: an open `mcp.ClientSession`, or what has its `call_tool`.
            tool: one of the tools that the session lists.
            result_mode: `"text"` gives the text of the result: a str, or a list where there are several
                pieces or pictures; `"structured"` gives the structured content where the server sends it.
            loop: the event loop that the session runs on; the running one by default.

        Raises:
            InputError: another `result_mode`.
        """
        from telic.types.mcp_tool import tool_of_mcp

        made: Tool = tool_of_mcp(cls, session, tool, result_mode, loop)
        return made

    @classmethod
    def from_langchain(cls, tool: Any) -> Tool:
        """A LangChain tool (`langchain_core.tools.BaseTool`).

        Raises:
            InputError: it is none.
        """
        from telic.types.langchain_tool import tool_of_langchain

        made: Tool = tool_of_langchain(cls, tool)
        return made

    @model_validator(mode="wrap")
    @classmethod
    def _from_function(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """A function alone is a tool too."""
        return cls(data) if callable(data) and not isinstance(data, Tool) else handler(data)

    def _arguments(self) -> Arguments:
        return Arguments(
            self.args or {}, self.arg_types or {}, self._required, self._positional, self.has_kwargs
        )

    def _bound(self, function: Callable[..., Any], given: Mapping[str, Any]) -> Callable[[], Any]:
        """The function with its arguments, checked."""
        values = read_arguments(str(self.name), self._arguments(), given)
        first = [values.pop(name) for name in self._positional if name in values]
        return functools.partial(function, *first, **values)

    def _refuse_at_home(self) -> None:
        if self._home is None:
            return
        import asyncio

        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            return
        if here is self._home:
            raise InputError(
                f"Tool '{self.name}' lives on the event loop that runs here, and waiting for it would stop"
                " that loop. Use `await tool.acall(...)`, or `acall` of the program that uses it."
            )

    def __deepcopy__(self, memo: Any = None) -> Tool:
        # The function, and what it is bound to, is shared: it may hold a connection.
        copy = self.model_copy()
        copy.args, copy.arg_types = _copied(self.args), _copied(self.arg_types)
        return copy

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tool):
            return NotImplemented
        facts = ("func", "name", "desc", "args", "arg_types", "has_kwargs")
        return all(getattr(self, fact) == getattr(other, fact) for fact in facts)

    def __hash__(self) -> int:
        return hash((self.name, self.desc))

    def __str__(self) -> str:
        return self.format()

    def __repr__(self) -> str:
        return f"Tool(name={self.name}, desc={self.desc}, args={self.args})"


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is asked for
    )


def _callable(function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise InputError(f"Tool: a value of type {type(function).__name__} cannot be called.")
    checked: Callable[..., Any] = function
    return checked


async def _itself(value: Any) -> Any:
    return await value


def _changed(
    tool: Tool,
    name: str | None,
    desc: str | None,
    args: dict[str, Any] | None,
    types: dict[str, Any] | None,
    texts: dict[str, str] | None,
) -> dict[str, Any]:
    """The fields of a tool made from another one: what is given, and the other's for the rest."""
    schemas = dict(tool.args or {} if args is None else args)
    _describe(schemas, texts or {})
    return {
        "func": tool.func,
        "name": name or tool.name,
        "desc": tool.desc if desc is None else desc,
        "args": schemas,
        "arg_types": types or tool.arg_types,
        "arg_desc": texts or tool.arg_desc,
        "has_kwargs": tool.has_kwargs,
    }


def _describe(schemas: dict[str, Any], texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        if name in schemas:
            schemas[name] = {**schemas[name], "description": text}


def _copied(value: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)
