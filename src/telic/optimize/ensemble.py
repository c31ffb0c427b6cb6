"""`Ensemble`: several programs as one, their answers made one by a vote or any other function.

From the DSPy work (Khattab et al., 2023, arXiv:2310.03714, section 4). With `telic.majority` it is
self-consistency (Wang et al., 2022, arXiv:2203.11171) over programs instead of samples.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from telic.errors import CompileError
from telic.optimize.optimizer import Optimizer
from telic.program.stepped import SteppedModule
from telic.runtime.rng import rng
from telic.runtime.steps import Do, Steps
from telic.signatures.validation import to_jsonable


class Ensemble(Optimizer):
    """Make one program of many.

    Args:
        reduce_fn: makes one answer of the list of theirs, such as `telic.majority`; without one, the list is
            the answer.
        size: how many of the programs each call asks, drawn at random; all of them by default.
        deterministic: draw by the inputs, so that equal inputs ask the same programs.
    """

    def __init__(
        self,
        *,
        reduce_fn: Callable[[list[Any]], Any] | None = None,
        size: int | None = None,
        deterministic: bool = False,
    ) -> None:
        if size is not None and size < 1:
            raise CompileError(f"Ensemble(size={size}): at least one program must be asked.")
        self.reduce_fn = reduce_fn
        self.size = size
        self.deterministic = deterministic

    def compile(self, programs: Sequence[Any]) -> EnsembledProgram:
        """Return the program that asks `programs`.

        Args:
            programs: they take the same inputs. Those of `candidate_programs` can be given as they are.

        Raises:
            CompileError: there are none, or fewer than `size`.
        """
        chosen = [row["program"] if isinstance(row, dict) else row for row in programs]
        if len(chosen) < (self.size or 1):
            raise CompileError(f"Ensemble: {self.size or 1} programs are needed, there are {len(chosen)}.")
        return EnsembledProgram(chosen, self.reduce_fn, self.size, self.deterministic)


class EnsembledProgram(SteppedModule):
    """Asks its programs, and reduces their answers to one; made by `Ensemble`.

    Called with `acall`, it asks them side by side; called plainly, one after the other.

    Attributes:
        programs: all there are.
    """

    def __init__(
        self,
        programs: list[Any],
        reduce_fn: Callable[[list[Any]], Any] | None,
        size: int | None,
        deterministic: bool,
    ) -> None:
        self.programs = programs
        self.reduce_fn = reduce_fn
        self.size = size
        self.deterministic = deterministic

    def steps(self, *args: Any, **inputs: Any) -> Steps[Any]:
        """Ask, reduce."""
        asked = self._asked(args, inputs)

        async def side_by_side() -> list[Any]:
            import asyncio

            return list(await asyncio.gather(*(program.acall(*args, **inputs) for program in asked)))

        outputs = yield Do(lambda: [program(*args, **inputs) for program in asked], side_by_side)
        return outputs if self.reduce_fn is None else self.reduce_fn(outputs)

    def _asked(self, args: Sequence[Any], inputs: dict[str, Any]) -> list[Any]:
        if self.size is None:
            return self.programs
        chance = (
            rng(0, "ensemble", to_jsonable(list(args)), to_jsonable(inputs))
            if self.deterministic
            else random.Random()
        )
        chosen = sorted(chance.sample(range(len(self.programs)), self.size))
        return [self.programs[number] for number in chosen]
