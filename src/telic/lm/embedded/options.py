"""Options of the embedded engine, and the llama.cpp parameters they become.

Measured on 2 cores (AVX2), as processor seconds, which a busy machine does not blur:

- One slot is the default. Writing 16 answers of 40 tokens behind a 600-token prefix took 10.3, 10.3 and 8.9
  s with 1, 2 and 4 slots for SmolLM2-135M, and 10.9, 16.4 and 11.1 s for Gemma-3-270M; but each further slot
  has to read the prefix again (3.0 and 2.0 s). Slots pay off where answers are long and prompts short (8
  slots: a third less), or where there are many cores.
- `reproducible`: from 64 tokens on, llama.cpp's attention takes another path, whose rounding differs, so the
  text after a prefix that was held could differ from the text after the same prefix read anew. Reading in
  batches of 48 avoids that. It costs a sixth when a prompt is read (3.05 s against 2.54 s for 600 tokens of
  SmolLM2, 2.05 s against 1.80 s for Gemma), and nothing behind a prefix that is held.
- Threads: prompts are read on all cores, twice as fast on two as on one (SmolLM2 455 and 235 tokens a second,
  Gemma 655 and 335). Answers of these small models are written on half of the cores: a second thread gains
  5 % on an idle machine (SmolLM2 125 to 131 tokens a second, Gemma 80 to 85), and on a busy one it loses two
  thirds, since each layer then waits for whichever thread is not running.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

from telic.errors import LMConfigurationError


@dataclass(frozen=True, slots=True)
class Options:
    """How a model is held in memory. Two LMs with the same file and options share one copy.

    Attributes:
        n_ctx: tokens of prompt plus answer that each slot can hold; 0 for what the model was trained for,
            at most 8,192.
        slots: answers written side by side.
        threads: CPU threads; 0 for the cores this process may use, half of them where a small model writes.
        reproducible: the same greedy text whether or not a slot held the prompt's beginning (as far as
            llama.cpp allows: a last batch of a single token may still tip a near-tie).
        prefix_reuse: keep what a slot has read, and send a prompt to the slot that knows most of it.
        patience: seconds after which a waiting request goes first, whatever the slots hold.
    """

    n_ctx: int = 0
    slots: int = 1
    threads: int = 0
    reproducible: bool = True
    prefix_reuse: bool = True
    patience: float = 20.0

    def __post_init__(self) -> None:
        for name, low in (("n_ctx", 0), ("slots", 1), ("threads", 0), ("patience", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < low:
                raise LMConfigurationError(
                    f"The option {name}={value!r} of the embedded engine must be at least {low}."
                )

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """Options by name; raises `LMConfigurationError` on a name that there is not."""
        known = [one.name for one in fields(cls)]
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise LMConfigurationError(
                f"The embedded engine has no option {', '.join(map(repr, unknown))}; "
                f"it has {', '.join(known)}. Sampling parameters belong to the LM or the call."
            )
        return cls(**given)


LARGEST_DEFAULT_WINDOW = 8192
"""Tokens: a larger window is only set up when asked for, as its memory is taken at once."""


_SMALL_FILE = 300_000_000
"""Bytes."""

_STEADY_BATCH = 48
"""Tokens; under 64, and a multiple of 16, which is what the kernels are quickest with."""


def window(options: Options, trained: int) -> int:
    """Tokens that fit into one slot."""
    if options.n_ctx:
        return min(options.n_ctx, trained) if trained else options.n_ctx
    return min(trained or LARGEST_DEFAULT_WINDOW, LARGEST_DEFAULT_WINDOW)


def usable_cores() -> int:
    """Cores this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def common_params(
    xllamacpp: ModuleType, path: Path, options: Options, trained: int, address: str | None
) -> Any:
    """The `xllamacpp.CommonParams` for a model.

    Args:
        xllamacpp: the module.
        path: the weights.
        options: how to hold them.
        trained: the model's own window, in tokens; 0 if unknown.
        address: path of the socket the server may listen on; `None` for a port of the loopback interface.
    """
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    # Each slot has a cache of its own: over a shared one, every token would attend to all slots' cells.
    params.n_ctx = window(options, trained) * options.slots
    params.kv_unified = False
    params.n_parallel = options.slots
    cores = usable_cores()
    small = path.stat().st_size < _SMALL_FILE
    params.cpuparams.n_threads = options.threads or (min((cores + 1) // 2, 4) if small else cores)
    params.cpuparams_batch.n_threads = options.threads or cores
    # A batch is what is computed before a cancelled call is noticed.
    params.n_ubatch = _STEADY_BATCH if options.reproducible else 512
    params.n_batch = 10 * _STEADY_BATCH if options.reproducible else 512
    # Repacked weights are multiplied by another kernel where the number of tokens is a multiple of its own.
    params.no_extra_bufts = options.reproducible
    # Sliding-window layers keep all they have read; else no prefix could be taken up again behind them.
    params.swa_full = True
    params.n_ctx_checkpoints = 0
    params.cache_prompt = options.prefix_reuse
    params.slot_prompt_similarity = 0.0
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    params.warmup = False
    params.verbosity = 0
    params.ui = False
    params.endpoint_slots = False
    params.n_threads_http = 1
    params.port = 0
    params.hostnames = [address or "127.0.0.1"]
    return params
