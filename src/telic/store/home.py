"""Where telic keeps its files."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder of store, weights and demo runs: `TELIC_HOME`, or `~/.telic`. Not created here."""
    return Path(os.environ.get("TELIC_HOME") or "~/.telic").expanduser().absolute()
