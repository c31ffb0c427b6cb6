"""Faults for the local server: how often, which kinds, decided by seed so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = int | Literal["reset", "stall", "truncate", "malformed", "error"]
"""A status (429, 500, …), or: the connection is reset, nothing comes, half of it comes, it is not JSON, it is
an error under status 200. The last three happen to a stream after its first event.
"""

ALL_KINDS: tuple[Kind, ...] = (429, 500, "reset", "stall", "truncate", "malformed")


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and how often.

    Whether a request fails depends on the seed, its body and how often this body came before, and not on the
    order in which requests arrive: runs with many requests in flight repeat exactly.

    Attributes:
        rate: share of requests that fail, 0 to 1.
        kinds: what may happen, each as likely as the others.
        retry_after: sent with 429 and 503, as it is (seconds or an HTTP date); `None` sends none.
        seed: another seed, other failures.
        plan: what happens to the first requests, in order of arrival (`None`: no fault), before the rest.
    """

    rate: float = 0.0
    kinds: Sequence[Kind] = ALL_KINDS
    retry_after: float | str | None = None
    seed: int = 0
    plan: Sequence[Kind | None] = field(default=())

    def of(self, number: int, body_hash: str, attempt: int) -> Kind | None:
        """What happens to a request.

        Args:
            number: how many requests came before.
            body_hash: hash of its body.
            attempt: how often this body came before.
        """
        if number < len(self.plan):
            return self.plan[number]
        if not self.rate or not self.kinds:
            return None
        dice = random.Random(f"{self.seed}/{body_hash}/{attempt}")
        return dice.choice(list(self.kinds)) if dice.random() < self.rate else None
