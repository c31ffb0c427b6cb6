"""Where a call enters a program: the scope it runs in, and who is told of it."""

from __future__ import annotations

from typing import Any

from telic.runtime import scope as scopes
from telic.runtime.events import notifying
from telic.runtime.settings import settings
from telic.runtime.steps import Step, Steps


class Entry:
    """A call of a module. The outermost one sets the scope, and counts usage where the settings say so."""

    __slots__ = ("_module", "_token", "_tracker")

    def __init__(self, module: Any) -> None:
        self._module = module
        self._token: Any = None
        self._tracker: Any = None

    def __enter__(self) -> Entry:
        scope = scopes.current()
        kept = settings.module_history
        if scope.root is None or kept:
            sinks = scope.sinks
            if kept:
                from telic.program.own_history import OwnHistory

                sinks = (*sinks, OwnHistory(self._module))
            if settings.track_usage and scope.root is None:
                from telic.runtime.usage import UsageTracker

                self._tracker = UsageTracker()
                sinks = (*sinks, self._tracker)
            self._token = scopes.enter(
                scopes.Scope(
                    self._module if scope.root is None else scope.root,
                    scope.trace,
                    scope.budgets,
                    sinks,
                    scope.rollout_id,
                    scope.preview,
                    scope.stream,
                )
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            scopes.leave(self._token)

    def counted(self, result: Any) -> Any:
        """The result, with the usage of the call where it was counted."""
        if self._tracker is not None and hasattr(result, "set_lm_usage"):
            result.set_lm_usage(self._tracker.get_total_tokens())
        return result


def told(
    callbacks: tuple[Any, ...], module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Steps[Any]:
    """Run a module, and tell callbacks of it."""
    inputs = {"args": args, "kwargs": kwargs}
    return notifying(callbacks, "module", module, inputs, _step(module.running(args, kwargs)))


def _step(step: Step) -> Steps[Any]:
    return (yield step)
