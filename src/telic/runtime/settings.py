"""Settings: the user's choices, as process defaults with an overlay per context.

`configure` changes the defaults of the process; `context` overlays them for a block, and wins there. The
overlay lives in a context variable, so threads and tasks that telic starts, nested loops and a notebook's
running loop all see the same answer. A bare `threading.Thread` starts with an empty context, as Python has
it, and sees the defaults.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from telic.errors import InputError
from telic.runtime.owner import Owner

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "lm": None,
        "adapter": None,
        "rm": None,
        "interpreter_factory": None,
        "callbacks": [],
        "num_threads": 8,
        "max_errors": 10,
        "provide_traceback": False,
        "track_usage": False,
        "max_repairs": 1,
        "max_history_bytes": 2_000_000,
        "max_history_size": 1_000,
        "disable_history": False,
        "trace": None,
        "max_trace_size": 10_000,
        "allow_tool_async_sync_conversion": True,
        "async_max_workers": 8,
        "send_stream": None,
        "stream_listeners": [],
        "usage_tracker": None,
        "caller_modules": None,
        "caller_predict": None,
        "warn_on_type_mismatch": True,
        "bypass_assert": False,
        "bypass_suggest": False,
        "backtrack_history": [],
        "branch_idx": 0,
        "experimental": False,
        "store": None,
        "refuse_unfit_inputs": True,
        "json_fallback": False,
        "score_errors": False,
        "stop_at_max_errors": False,
        "refuse_unknown_settings": True,
        "configure_by_first_only": False,
        "state_layout": "telic",
        "native_agent_tools": True,
        "stream_recorded": True,
        "history_outputs_only": False,
        "module_history": False,
        "reasoning_rules": False,
        "first_try_sampled": False,
        "forgive_any_error": False,
    }
)
"""Every setting and its default. Names follow DSPy's where DSPy has them. The last ones choose between
telic's way and the one DSPy documents:

    refuse_unfit_inputs      a call with missing or unknown inputs raises; else it is logged, and goes on
    json_fallback            an answer that the chat adapter cannot read is asked for once more as JSON
    score_errors             an evaluation scores an example that raised with the failure score
    stop_at_max_errors       `max_errors` failures end a run; else it takes one more
    refuse_unknown_settings  a setting nobody knows raises; else it is kept
    configure_by_first_only  only the thread and the task that called `configure` first may call it again
    native_agent_tools       agents have tools called natively where the model can, unless told otherwise
    state_layout             `"telic"`, or `"dspy"`: in which of the two states and program files are written
    stream_recorded          an answer from the record is streamed too, as one chunk
    history_outputs_only     an earlier turn shows the outputs now asked for, be they missing, and no others
    module_history           every module keeps the LM calls made in it, as `history`
    reasoning_rules          parameters that OpenAI's reasoning models do not take are refused by `LM` itself
    first_try_sampled        the first try of `BestOfN` and `Refine` is drawn at temperature 1 too
    forgive_any_error        a try of theirs that raises anything has failed; else only one of telic's errors
"""

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_overlay: ContextVar[Mapping[str, Any]] = ContextVar("telic_settings", default=_EMPTY)


class Settings:
    """The settings in force here: `settings.lm`, `settings["lm"]`, `settings.get("lm")`."""

    __slots__ = ("_base", "_defaults", "_lock", "_owner")

    def __init__(self) -> None:
        object.__setattr__(self, "_defaults", {})
        object.__setattr__(self, "_base", _fresh({}))
        object.__setattr__(self, "_lock", threading.Lock())
        object.__setattr__(self, "_owner", Owner())

    def __getattr__(self, name: str) -> Any:
        overlay = _overlay.get()
        if name in overlay:
            return overlay[name]
        try:
            return self._base[name]
        except KeyError:
            raise AttributeError(
                f"there is no setting '{name}'; known: {', '.join(sorted(self._base))}"
            ) from None

    __getitem__ = __getattr__

    def __setattr__(self, name: str, value: Any) -> None:
        self.configure(**{name: value})

    __setitem__ = __setattr__

    def __contains__(self, name: object) -> bool:
        return name in _overlay.get() or name in self._base

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `name` here, or `default` where there is no such setting."""
        return getattr(self, name) if name in self else default

    def copy(self) -> dict[str, Any]:
        """Everything in force here, as a dict of its own."""
        return {**self._base, **_overlay.get()}

    config = property(copy)

    def keys(self) -> list[str]:
        """Names of all settings."""
        return sorted(self.copy())

    def configure(self, **choices: Any) -> None:
        """Change the defaults of this process, from wherever it is called.

        Inside a `context` block the block's own choices still win, for as long as it lasts.

        Raises:
            InputError: there is no such setting, or a value cannot be what its setting is for.
        """
        _check(choices, self)
        if self.configure_by_first_only:
            self._owner.check()
        with self._lock:
            object.__setattr__(self, "_base", {**self._base, **choices})

    def set_defaults(self, **choices: Any) -> None:
        """Change what `reset` goes back to, and with it what is in force now; without any, the defaults of
        telic.

        Raises:
            InputError: as for `configure`.
        """
        _check(choices, self)
        with self._lock:
            back = {name: DEFAULTS[name] for name in self._defaults}
            object.__setattr__(self, "_defaults", choices)
            object.__setattr__(self, "_base", {**self._base, **_own_lists({**back, **choices})})

    @contextmanager
    def context(self, **choices: Any) -> Iterator[None]:
        """Overlay some settings for a block, in this thread or task and in what it starts.

        Raises:
            InputError: as for `configure`.
        """
        _check(choices, self)
        token = _overlay.set(MappingProxyType({**_overlay.get(), **choices}))
        try:
            yield
        finally:
            with suppress(ValueError):  # a generator that is closed from another context: nothing to restore
                _overlay.reset(token)

    def save(
        self, path: str, modules_to_serialize: list[Any] | None = None, exclude_keys: list[str] | None = None
    ) -> None:
        """Write what is in force here to a file, as a pickle (needs the extra `pickle`).

        Args:
            path: the file.
            modules_to_serialize: modules whose classes go into the pickle by value.
            exclude_keys: settings that are left out.
        """
        from telic.runtime.settings_file import save_settings

        left_out = set(exclude_keys or ())
        kept = {name: value for name, value in self.copy().items() if name not in left_out}
        save_settings(kept, path, modules_to_serialize)

    @staticmethod
    def load(path: str, allow_pickle: bool = False) -> dict[str, Any]:
        """Read what `save` wrote, without putting it in force.

        Raises:
            InputError: `allow_pickle` was not given; reading a pickle runs code that is in it.
        """
        from telic.runtime.settings_file import load_settings

        return load_settings(path, allow_pickle=allow_pickle)

    def reset(self) -> None:
        """Back to the state of a fresh process (the overlay of the running context too)."""
        with self._lock:
            object.__setattr__(self, "_base", _fresh(self._defaults))
        self._owner.forget()
        _overlay.set(_EMPTY)

    def __repr__(self) -> str:
        changed = {k: v for k, v in self.copy().items() if k not in DEFAULTS or v != DEFAULTS[k]}
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in changed.items())})"


def _fresh(changes: Mapping[str, Any]) -> dict[str, Any]:
    return _own_lists({**DEFAULTS, **changes})


def _own_lists(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with lists of their own."""
    return {name: list(value) if isinstance(value, list) else value for name, value in values.items()}


def _check(choices: Mapping[str, Any], settings: Settings) -> None:
    for name in choices:
        if name not in DEFAULTS and settings.refuse_unknown_settings:
            from difflib import get_close_matches

            near = get_close_matches(name, DEFAULTS, 1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(sorted(DEFAULTS))}."
            raise InputError(f"There is no setting '{name}'. {hint}")
    lm = choices.get("lm")
    if isinstance(lm, str):
        raise InputError(f"lm={lm!r} is a name, not an LM. Write telic.LM({lm!r}).")
    threads = choices.get("num_threads")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise InputError(f"num_threads={threads!r} must be a whole number of at least 1.")


def _known(name: str) -> property:
    """A property for a setting that there is: a third quicker than `__getattr__`, fourteen times a call."""

    def read(self: Settings) -> Any:
        overlay = _overlay.get()
        return overlay[name] if name in overlay else self._base[name]

    return property(read)


for _name in DEFAULTS:
    setattr(Settings, _name, _known(_name))

settings = Settings()
configure = settings.configure
context = settings.context
