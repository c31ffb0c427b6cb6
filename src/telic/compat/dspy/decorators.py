"""`experimental` and `with_callbacks`, for classes of one's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from telic.adapters import Adapter
from telic.evaluate import Evaluate
from telic.lm.base import BaseLM
from telic.runtime.events import active_callbacks, notify_around
from telic.types.tool import Tool


def experimental(f: Any = None, version: str | None = None) -> Any:
    """Mark a function or class as one that may change: its docstring then begins by saying so.

    Args:
        f: what is marked; the decorator may also be written `@experimental(version="3.1")`.
        version: since when it is there.
    """
    if f is None:
        return functools.partial(experimental, version=version)
    what = "class" if isinstance(f, type) else "function"
    since = f" (introduced in v{version})" if version else ""
    note = f"Experimental: this {what} may change or go away in a later version{since}."
    f.__doc__ = f"{note}\n\n{f.__doc__}" if f.__doc__ else note
    return f


def with_callbacks(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Tell callbacks (of the settings, and the instance's own) of each call of a method, sync or async."""
    parameters = inspect.signature(fn)

    def inputs(instance: Any, args: Any, kwargs: Any) -> dict[str, Any]:
        bound = parameters.bind(instance, *args, **kwargs)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])
        # A method's open keywords are inputs like the others.
        for name, parameter in parameters.parameters.items():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                given.update(given.pop(name, {}))
        return given

    def telling(instance: Any, args: Any, kwargs: Any) -> Any:
        callbacks = active_callbacks(getattr(instance, "callbacks", None) or ())
        return notify_around(callbacks, _kind(instance, fn), instance, inputs(instance, args, kwargs))

    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def awaited(self: Any, *args: Any, **kwargs: Any) -> Any:
            with telling(self, args, kwargs) as done:
                value = await fn(self, *args, **kwargs)
                done(value)
            return value

        return awaited

    @functools.wraps(fn)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        with telling(self, args, kwargs) as done:
            value = fn(self, *args, **kwargs)
            done(value)
        return value

    return called


def _kind(instance: Any, fn: Callable[..., Any]) -> str:
    if isinstance(instance, Adapter):
        return "adapter_format" if fn.__name__ == "format" else "adapter_parse"
    for kind, cls in (("lm", BaseLM), ("tool", Tool), ("evaluate", Evaluate)):
        if isinstance(instance, cls):
            return kind
    return "module"
