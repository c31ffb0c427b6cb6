"""What the numbers are while a model is trained: 32 bits, or 16 where this machine is quicker with them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from telic._lazy import require

_SIZE = {"cpu": (256, 1024), "cuda": (4096, 8192)}
"""Rows of the product that is timed, and its other two sizes: like a layer of what is trained on each."""

_TRIES = 4  # the first also sets things up


@dataclass(frozen=True, slots=True)
class Machine:
    """What a model is trained on.

    Attributes:
        device: `cpu` or `cuda`.
        precision: `bf16` or `fp32`.
        flops: operations a second in this precision, as measured on one product.
        memory: bytes that are free.
    """

    device: str
    precision: str
    flops: float
    memory: int


def this_machine(wanted: str = "auto", threads: int = 0) -> Machine:
    """Measure this machine: a fraction of a second.

    Args:
        wanted: `bf16`, `fp32`, or `auto` for whichever is quicker.
        threads: CPU threads; 0 for the cores this process may use.
    """
    torch = require("torch", extra="finetune", purpose="training")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if threads:
        torch.set_num_threads(threads)
    speeds = {name: _speed(torch, name, device) for name in ("fp32", "bf16") if wanted in ("auto", name)}
    chosen = max(speeds, key=speeds.__getitem__)
    return Machine(device, chosen, speeds[chosen], _free(torch, device))


def _speed(torch: Any, precision: str, device: str) -> float:
    """Operations a second, the best of a few tries."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    rows, size = _SIZE[device]
    left = torch.ones(rows, size, dtype=kind, device=device)
    right = torch.ones(size, size, dtype=kind, device=device)
    best = float("inf")
    for _ in range(_TRIES):
        began = time.perf_counter()
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return float(2 * rows * size * size / best)


def _free(torch: Any, device: str) -> int:
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    psutil = require("psutil", extra="finetune", purpose="knowing how much memory is free")
    return int(psutil.virtual_memory().available)
