"""DSPy's `Cache`: values by request, for code of one's own."""

from __future__ import annotations

import copy
import hashlib
import pickle
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from telic._json import canonical, plain
from telic.errors import InputError
from telic.runtime.settings import settings
from telic.store.default import default_store
from telic.store.home import home


class Cache:
    """Values by request, for code of one's own. LM calls are in telic's record, not in here.

    Values are kept in memory. On disk go those that JSON can hold as they are.

    Args:
        enable_disk_cache: keep values on disk.
        enable_memory_cache: keep values in memory.
        disk_cache_dir: folder of the file.
        disk_size_limit_bytes: accepted for compatibility.
        memory_max_entries: most values in memory; the least recently used go first.
        restrict_pickle: accepted for compatibility; nothing is pickled on disk.
        safe_types: goes with `restrict_pickle`.

    Raises:
        InputError: `memory_max_entries` is not positive.
    """

    def __init__(
        self,
        enable_disk_cache: bool,
        enable_memory_cache: bool,
        disk_cache_dir: str | None = None,
        disk_size_limit_bytes: int | None = 10 * 2**20,
        memory_max_entries: int | None = 1_000_000,
        restrict_pickle: bool = False,
        safe_types: list[type[Any]] | None = None,
    ) -> None:
        check_entries(memory_max_entries)
        self.enable_disk_cache = enable_disk_cache
        self.enable_memory_cache = enable_memory_cache
        self.disk_cache_dir = disk_cache_dir
        self.memory_max_entries = memory_max_entries or 1_000_000
        self.memory_cache: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.RLock()

    def __contains__(self, key: str) -> bool:
        return key in self.memory_cache or self._on_disk(key) is not None

    def cache_key(self, request: dict[str, Any], ignored_args_for_cache_key: list[str] | None = None) -> str:
        """A hash of a request; the order of its keys does not matter."""
        ignored = set(ignored_args_for_cache_key or ())
        kept = {name: _described(value) for name, value in request.items() if name not in ignored}
        return hashlib.sha256(canonical(kept).encode("utf-8", "surrogatepass")).hexdigest()

    def get(self, request: dict[str, Any], ignored_args_for_cache_key: list[str] | None = None) -> Any:
        """A copy of the value of a request, or `None`; a response is marked as free of charge."""
        key = self.cache_key(request, ignored_args_for_cache_key)
        with self._lock:
            value = self.memory_cache.get(key) if self.enable_memory_cache else None
            if value is not None:
                self.memory_cache.move_to_end(key)
        if value is None:
            value = self._on_disk(key)
            if value is None:
                return None
            self._remember(key, value)
        value = copy.deepcopy(value)
        if hasattr(value, "usage"):
            value.usage = {}
            value.cache_hit = True
        return value

    def put(
        self,
        request: dict[str, Any],
        value: Any,
        ignored_args_for_cache_key: list[str] | None = None,
        enable_memory_cache: bool = True,
    ) -> None:
        """Keep the value of a request."""
        key = self.cache_key(request, ignored_args_for_cache_key)
        if enable_memory_cache:
            self._remember(key, value)
        if self.enable_disk_cache and _is_json(value):
            self._store().put("calls", f"value:{key}", {"value": value})

    def reset_memory_cache(self) -> None:
        """Forget what is in memory."""
        with self._lock:
            self.memory_cache.clear()

    def save_memory_cache(self, filepath: str) -> None:
        """Write what is in memory to a file, as a pickle."""
        with self._lock:
            Path(filepath).write_bytes(pickle.dumps(dict(self.memory_cache)))

    def load_memory_cache(self, filepath: str, allow_pickle: bool = False) -> None:
        """Read what `save_memory_cache` wrote; it runs code that is in the file.

        Raises:
            InputError: `allow_pickle` was not given.
        """
        if not allow_pickle:
            raise InputError(
                f"'{filepath}' is a pickle, and reading one runs code that is in it. "
                "Say allow_pickle=True if you trust where it comes from."
            )
        with self._lock:
            self.memory_cache = OrderedDict(pickle.loads(Path(filepath).read_bytes()))

    def _remember(self, key: str, value: Any) -> None:
        if self.enable_memory_cache:
            with self._lock:
                self.memory_cache[key] = value
                self.memory_cache.move_to_end(key)
                while len(self.memory_cache) > self.memory_max_entries:
                    self.memory_cache.popitem(last=False)

    def _on_disk(self, key: str) -> Any:
        row = self._store().get("calls", f"value:{key}") if self.enable_disk_cache else None
        return None if row is None else row["value"]

    def _store(self) -> Any:
        # A file of its own, so that the record of LM calls holds nothing but those.
        folder = Path(self.disk_cache_dir).expanduser() if self.disk_cache_dir else home()
        with settings.context(store=folder / "values.db"):
            return default_store()


def check_entries(memory_max_entries: int | None) -> None:
    """Refuse a size that is none."""
    if memory_max_entries is not None and memory_max_entries <= 0:
        raise InputError(f"memory_max_entries={memory_max_entries} must be positive.")


def _described(value: Any) -> Any:
    if isinstance(value, type):
        schema = getattr(value, "model_json_schema", None)
        return schema() if schema is not None else plain(value)
    if callable(value) and not hasattr(value, "model_dump"):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', repr(value))}"
    return value


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return isinstance(value, (str, int, float, bool))
