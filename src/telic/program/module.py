"""`Module`: a program is a class with a `forward`, ordinary Python in which predictors are called."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from telic.program import states, tree
from telic.program.entry import Entry, told
from telic.program.own_history import HistoryAttribute
from telic.runtime.events import active_callbacks
from telic.runtime.steps import Do, Step, adrive, drive

if TYPE_CHECKING:
    from pathlib import Path

    from telic.program.preview import Preview


class BaseModule:
    """The tree side of a program: its parts, copies and state."""

    _compiled: bool = False

    def named_parameters(self) -> list[tuple[str, Any]]:
        """Every parameter with its path: `generate.predict`, `hops[1]`, `tools['search']`."""
        return tree.named_parameters(self)

    def parameters(self) -> list[Any]:
        """Every parameter."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_sub_modules(
        self, type_: type | None = None, skip_compiled: bool = False
    ) -> Iterator[tuple[str, BaseModule]]:
        """This module and every module in it, with paths that begin with `self`."""
        return tree.named_sub_modules(self, type_, skip_compiled)

    def deepcopy(self) -> Any:
        """A copy whose parameters can be changed without touching this one.

        What the program shares with itself stays shared; parts that cannot be copied are shared with it.
        """
        return _copied(self, {})

    def reset_copy(self) -> Any:
        """A copy in which nothing is learnt."""
        made = self.deepcopy()
        for parameter in made.parameters():
            parameter.reset()
        return made

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """State of every parameter by path, as JSON."""
        return states.dump_states(self, json_mode=json_mode)

    def load_state(self, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> None:
        """Take the state that `dump_state` gave; nothing is changed where it does not fit.

        Raises:
            ProgramFileError: the paths differ from this program's; both sides are named.
            SignatureError: a predictor's fields differ; the differences are named.
        """
        states.load_states(self, state, allow_unsafe_lm_state=allow_unsafe_lm_state)

    def save(
        self, path: str | Path, save_program: bool = False, modules_to_serialize: list[Any] | None = None
    ) -> None:
        """Write this program's state and provenance to one JSON file, atomically.

        Args:
            path: a file ending in `.json`; with `save_program`, a folder.
            save_program: write the program itself, with its code, as a pickle (needs the extra `pickle`).
                Better keep the class in a Python file, and save its state.
            modules_to_serialize: goes with `save_program`: modules whose classes go into the pickle.
        """
        from telic.program.files import save_program_file

        if save_program:
            from telic.program.pickled import save_program as save_whole

            save_whole(self, path, modules_to_serialize)
            return
        save_program_file(self, path)

    def load(self, path: str | Path, allow_pickle: bool = False, allow_unsafe_lm_state: bool = False) -> None:
        """Take the state from a file that `save` wrote (or DSPy's `save`).

        Args:
            path: the file.
            allow_pickle: read it though it is a pickle, which runs code that is in it.
            allow_unsafe_lm_state: import the class of a saved LM that is not telic's own.

        Raises:
            ProgramFileError: missing, damaged, of a newer version, or of another program.
        """
        from telic.program.files import load_program_file

        load_program_file(self, path, allow_pickle=allow_pickle, allow_unsafe_lm_state=allow_unsafe_lm_state)


class Module(BaseModule):
    """A program, or a part of one.

    Derive from it, make predictors in `__init__`, and define `forward` (or `aforward`, or both) in plain
    Python. Call the program, `await program.acall(...)`, or `batch` it. A program that defines one of the two
    can be called both ways.
    """

    callbacks: Any = ()
    provenance: ClassVar[Mapping[str, Any] | None] = None
    """Where a compiled program comes from: optimizer, run, data, scores; set by the compiler, saved with the
    program.
    """

    history: Any = HistoryAttribute()
    """The LM calls made in this module, oldest first; kept with the setting `module_history`."""

    def __init__(self, callbacks: list[Any] | None = None) -> None:
        if callbacks:
            self.callbacks = callbacks

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program, blocking."""
        callbacks = active_callbacks(self.callbacks)
        with Entry(self) as entry:
            result = drive(told(callbacks, self, args, kwargs)) if callbacks else self._run(args, kwargs)
        return entry.counted(result)

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program on the running loop."""
        callbacks = active_callbacks(self.callbacks)
        with Entry(self) as entry:
            if callbacks:
                result = await adrive(told(callbacks, self, args, kwargs))
            else:
                result = await self._arun(args, kwargs)
        return entry.counted(result)

    def running(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step:
        """The step that runs this module, whichever way the caller drives."""
        return Do(lambda: self._run(args, kwargs), lambda: self._arun(args, kwargs))

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if defines(self, "forward"):
            return self.forward(*args, **kwargs)  # type: ignore[attr-defined]
        if defines(self, "aforward"):
            from telic.runtime.portal import portal

            return portal.run(self.aforward(*args, **kwargs))  # type: ignore[attr-defined]
        raise NotImplementedError(f"{type(self).__name__} defines neither forward() nor aforward().")

    def _arun(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
        if defines(self, "aforward"):
            running: Awaitable[Any] = self.aforward(*args, **kwargs)  # type: ignore[attr-defined]
            return running
        if not defines(self, "forward"):
            raise NotImplementedError(f"{type(self).__name__} defines neither forward() nor aforward().")
        import asyncio

        return asyncio.to_thread(self.forward, *args, **kwargs)  # type: ignore[attr-defined]

    def async_capable(self) -> bool:
        """Whether the whole program can run as a coroutine, without a thread: it, and every module in it,
        says how.
        """
        return all(
            defines(module, "aforward")
            for _, module in self.named_sub_modules()
            if isinstance(module, Module)
        )

    # Its predictors and their LM.

    def named_predictors(self) -> list[tuple[str, Any]]:
        """Every predictor with its path."""
        return [
            (path, p)
            for path, p in self.named_parameters()
            if hasattr(p, "signature") and hasattr(p, "demos")
        ]

    def predictors(self) -> list[Any]:
        """Every predictor."""
        return [predictor for _, predictor in self.named_predictors()]

    def map_named_predictors(self, func: Callable[[Any], Any]) -> Module:
        """Replace every predictor by what `func` makes of it, in place; returns this module."""
        for path, predictor in self.named_predictors():
            _assign(self, path, func(predictor))
        return self

    def set_lm(self, lm: Any) -> None:
        """Give every predictor this LM."""
        for _, predictor in self.named_predictors():
            predictor.lm = lm

    def get_lm(self) -> Any:
        """The one LM of all predictors.

        Raises:
            ValueError: they have more than one.
        """
        lms = {id(p.lm): p.lm for _, p in self.named_predictors()}
        if len(lms) == 1:
            return next(iter(lms.values()))
        raise ValueError(f"{type(self).__name__} has predictors with {len(lms)} different LMs.")

    # Running it on many, and looking at it.

    def batch(
        self,
        examples: list[Any],
        num_threads: int | None = None,
        max_errors: int | None = None,
        return_failed_examples: bool = False,
        provide_traceback: bool | None = None,
        disable_progress_bar: bool = False,
        timeout: int = 120,
        straggler_limit: int = 3,
    ) -> Any:
        """Run the program on every example, concurrently; results in order, `None` where one failed.

        Args:
            examples: with their inputs set (`with_inputs`).
            num_threads: how many at a time; `settings.num_threads` by default.
            max_errors: failures after which to stop; `settings.max_errors` by default.
            return_failed_examples: also return the failed examples and their exceptions.
            provide_traceback: log tracebacks of failures.
            disable_progress_bar: show none.
            timeout: accepted for compatibility; deadlines are the LM's (`timeout=`).
            straggler_limit: accepted for compatibility.

        Returns:
            The results, or `(results, failed examples, exceptions)`.
        """
        from telic.program.batch import run_batch

        results, failed, errors = run_batch(
            [(self, example) for example in examples],
            num_threads=num_threads,
            max_errors=max_errors,
            provide_traceback=provide_traceback,
            progress=not disable_progress_bar,
        )
        return (results, failed, errors) if return_failed_examples else results

    def preview(self, **inputs: Any) -> Preview:
        """Show what would be sent for these inputs, with token counts, without a call.

        A program of several steps is followed as far as the record knows the answers.
        """
        from telic.program.preview import preview

        return preview(self, inputs)

    def inspect_history(self, n: int = 1, file: TextIO | None = None) -> None:
        """Print the last `n` calls made in this module, where it keeps them (the setting `module_history`);
        else those of the process.
        """
        from telic.lm.history import inspect_history

        inspect_history(n, file, history=self.history or None)

    def __repr__(self) -> str:
        return "\n".join(
            f"{path} = {predictor!r}" for path, predictor in self.named_predictors()
        ) or object.__repr__(self)


def defines(module: Any, method: str) -> bool:
    """Whether a module says how to do `method` itself."""
    return getattr(type(module), method, None) is not None or method in getattr(module, "__dict__", {})


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, BaseModule):
        made = memo[id(value)] = value.__class__.__new__(value.__class__)
        for name, part in value.__dict__.items():
            made.__dict__[name] = _copied(part, memo)
        return made
    if type(value) is list:
        parts: list[Any] = []
        memo[id(value)] = parts
        parts += [_copied(part, memo) for part in value]
        return parts
    if type(value) is tuple:
        return tuple(_copied(part, memo) for part in value)
    if type(value) is dict:
        return {key: _copied(part, memo) for key, part in value.items()}
    try:
        return copy.deepcopy(value, memo)
    except (TypeError, ValueError, AttributeError, RecursionError, NotImplementedError):
        # Clients, locks and open files cannot be copied; the copy of the program shares them.
        return value


def _assign(module: Any, path: str, value: Any) -> None:
    if path == "self":
        return
    *steps, last = _split_path(path)
    holder = module
    for step in steps:
        holder = getattr(holder, step) if isinstance(step, str) else holder[step[0]]
    if isinstance(last, str):
        setattr(holder, last, value)
    else:
        holder[last[0]] = value


def _split_path(path: str) -> list[Any]:
    """`a.b[1]['k']` as `["a", "b", (1,), ("k",)]`."""
    import re

    parts: list[Any] = []
    for name, index, key in re.findall(r"([^.\[\]']+)(?=[.\[]|$)|\[(\d+)\]|\['([^']*)'\]", path):
        parts.append((int(index),) if index else (key,) if key else name)
    return parts
