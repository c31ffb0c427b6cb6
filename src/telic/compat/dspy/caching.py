"""DSPy's `configure_cache` and `Cache`, on telic's record of calls."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from telic.compat.dspy.object_cache import Cache, check_entries
from telic.store import configure_cache as configure_record
from telic.store.default import call_record
from telic.store.home import home


def default_cache_dir() -> str:
    """Where calls are recorded, if nothing else is said."""
    return str(home())


def configure_cache(
    enable_disk_cache: bool | None = True,
    enable_memory_cache: bool | None = True,
    disk_cache_dir: str | None = None,
    disk_size_limit_bytes: int | None = None,
    memory_max_entries: int | None = 1_000_000,
    restrict_pickle: bool = False,
    safe_types: list[type[Any]] | None = None,
) -> None:
    """Choose where LM calls are recorded and looked up.

    Args:
        enable_disk_cache: in a file.
        enable_memory_cache: in memory, in front of it.
        disk_cache_dir: folder of the file.
        disk_size_limit_bytes: the oldest calls go until the rest is at most so large.
        memory_max_entries: size of the memory, as so many answers of average length.
        restrict_pickle: accepted for compatibility; nothing in the record is a pickle.
        safe_types: goes with `restrict_pickle`.

    Raises:
        InputError: `memory_max_entries` is not positive.
    """
    check_entries(memory_max_entries)
    configure_record(
        enable_disk_cache=enable_disk_cache,
        enable_memory_cache=enable_memory_cache,
        disk_cache_dir=disk_cache_dir,
        disk_size_limit_bytes=disk_size_limit_bytes,
        memory_max_entries=memory_max_entries or 1_000_000,
    )
    cache.__init__(bool(enable_disk_cache), bool(enable_memory_cache), disk_cache_dir)  # type: ignore[misc]


class _ProcessCache(Cache):
    """The cache of the process: forgetting covers the memory in front of the record of LM calls too."""

    def reset_memory_cache(self) -> None:
        """Forget what is in memory."""
        super().reset_memory_cache()
        call_record().memory.clear()


cache: Cache = _ProcessCache(True, True)
"""DSPy's `dspy.cache`."""


def request_cache(
    cache_arg_name: str | None = None,
    ignored_args_for_cache_key: list[str] | None = None,
    enable_memory_cache: bool = True,
    *,
    maxsize: int | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep the values of a function, by its arguments.

    Args:
        cache_arg_name: the argument that is the request; by default all are.
        ignored_args_for_cache_key: arguments that change nothing of the value; by default how a model is
            reached.
        enable_memory_cache: keep values in memory.
        maxsize: accepted for compatibility.
    """
    ignored = ignored_args_for_cache_key or ["api_key", "api_base", "base_url"]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def request_of(args: Any, kwargs: Any) -> dict[str, Any]:
            if cache_arg_name:
                request = dict(kwargs[cache_arg_name])
            else:
                request = {**{f"positional_{n}": arg for n, arg in enumerate(args)}, **kwargs}
            return {"_fn_identifier": f"{function.__module__}.{function.__qualname__}", **request}

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                request = request_of(args, kwargs)
                known = cache.get(request, ignored)
                if known is None:
                    known = await function(*args, **kwargs)
                    cache.put(request, known, ignored, enable_memory_cache)
                return known

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            request = request_of(args, kwargs)
            known = cache.get(request, ignored)
            if known is None:
                known = function(*args, **kwargs)
                cache.put(request, known, ignored, enable_memory_cache)
            return known

        return called

    return decorate
