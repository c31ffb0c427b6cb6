"""What is done of a run of many rounds: a JSON file that a killed run reads to go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic.errors import RunMismatchError, StoreError

_FILE = "journal.json"


class Journal:
    """Work that is done once, with what came of it.

    Args:
        folder: of the run; made where there is none.
        fingerprint: of all that the run depends on.
        about: shown to whoever opens the file: sizes and settings.

    Attributes:
        resumed: pieces of work that were done when it was opened.

    Raises:
        RunMismatchError: the folder holds a run with another fingerprint.
        StoreError: the file is damaged.
    """

    def __init__(self, folder: Path, fingerprint: str, about: dict[str, Any]) -> None:
        self.folder = folder
        self._file = folder / _FILE
        self._row: dict[str, Any] = {"fingerprint": fingerprint, "about": about, "done": {}}
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            write_atomic(self._file, dumps(self._row, indent=1))
        except json.JSONDecodeError as error:
            raise StoreError(
                f"'{self._file}' is damaged ({error}). Remove the folder to begin anew."
            ) from None
        else:
            self._go_on(known, fingerprint, about)
        self.resumed = len(self._row["done"])

    def once(self, name: str, work: Callable[[], Any]) -> Any:
        """What `work` gives (a JSON value): from the journal where it was done before."""
        done = self._row["done"]
        if name not in done:
            done[name] = work()
            write_atomic(self._file, dumps(self._row, indent=1))
        return done[name]

    def has(self, name: str) -> bool:
        """Whether a piece of work is done."""
        return name in self._row["done"]

    def _go_on(self, known: dict[str, Any], fingerprint: str, about: dict[str, Any]) -> None:
        if known["fingerprint"] != fingerprint:
            before = known.get("about", {})
            changed = sorted(key for key in {*before, *about} if before.get(key) != about.get(key))
            raise RunMismatchError(
                f"'{self.folder}' holds a run that differs in {', '.join(changed) or 'its data'}. Name "
                "another folder, or remove it."
            )
        self._row = known
