"""What the machine can do for a training: where, how precisely, and whether its memory is enough."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from telic.errors import InputError
from telic.retrieval.late_interaction.training.settings import LearningSettings

_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""Flags of processors that multiply in bfloat16."""
_ROWS_OF_A_LAYER = 32
"""Rows of the hidden width that a layer keeps of each token for its gradient: 18, and 30 with dropout."""


def device_of(settings: LearningSettings) -> str:
    """The device that settings mean."""
    if settings.device != "auto":
        return settings.device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def in_bfloat16(settings: LearningSettings, device: str) -> bool:
    """Whether products are computed in bfloat16."""
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    if device.startswith("cuda"):
        import torch

        return bool(torch.cuda.is_bf16_supported())
    return device == "cpu" and bool(_BF16 & _processor_flags())


def check_memory(weights: int, learnt: int, tokens: int, width: int, layers: int) -> None:
    """Refuse a training that cannot fit, before it has taken an hour.

    Args:
        weights: numbers of the model.
        learnt: how many of them change; AdamW keeps two more of each, and the gradient is a third.
        tokens: of one pass, all texts together.
        width: numbers of a token's row.
        layers: that learn.

    Raises:
        InputError: less memory is free than it needs; says how much, and what to lower.
    """
    free = available_memory()
    needed = 4 * (weights + 3 * learnt + tokens * width * _ROWS_OF_A_LAYER * max(1, layers))
    if free is not None and needed > free:
        raise InputError(
            f"Training needs about {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} GiB are free. "
            f"Lower batch_size (and raise accumulate), passage_length, negatives or top_layers: a pass has "
            f"{tokens} tokens."
        )


def available_memory() -> int | None:
    """Bytes that are free on this machine and allowed to this process's group; `None` where not known."""
    found = [size for size in (_machine_free(), _group_free()) if size is not None]
    return min(found, default=None)


def _machine_free() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        names: Any = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" not in names:
            return None
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    line = next((line for line in text.splitlines() if line.startswith("MemAvailable:")), None)
    return None if line is None else int(line.split()[1]) * 1024


def _group_free() -> int | None:
    """What a container's limit leaves."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used)


def _processor_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    line = next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "")
    return set(line.partition(":")[2].split())
