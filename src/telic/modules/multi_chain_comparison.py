"""Several chains of thought, compared by the model itself (Yoran et al., 2023, arXiv:2304.13007)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.errors import InputError
from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.signatures import InputField, OutputField, ensure_signature


class MultiChainComparison(Answering[Answer], SteppedModule):
    """Show the model `M` attempts at the question, and let it reason to a better answer.

    Args:
        signature: what is asked.
        M: number of attempts shown.
        temperature: of the comparison.
        **config: parameters of every request.
    """

    def __init__(
        self, signature: str | type[Answer], M: int = 3, temperature: float = 0.7, **config: Any
    ) -> None:
        asked: Any = ensure_signature(signature)
        self.M = M
        self.last_key = next(reversed(asked.output_fields))
        for number in range(1, M + 1):
            field = InputField(prefix=f"Student Attempt #{number}:", desc="an attempt at the answer")
            asked = asked.append(f"reasoning_attempt_{number}", field, str)
        field = OutputField(prefix="Accurate Reasoning:", desc="the corrected reasoning")
        self.predict = Predict(asked.prepend("rationale", field, str), temperature=temperature, **config)

    def steps(self, completions: Sequence[Any], **kwargs: Any) -> Steps[Any]:
        """Compare attempts.

        Args:
            completions: `M` predictions or dicts, each with a `rationale` or `reasoning` and the last output.
            **kwargs: the inputs.

        Raises:
            InputError: not exactly `M` attempts.
        """
        rows = _rows(completions)
        if len(rows) != self.M:
            raise InputError(f"MultiChainComparison compares {self.M} attempts, but was given {len(rows)}.")
        attempts = {f"reasoning_attempt_{n}": self._attempt(row) for n, row in enumerate(rows, 1)}
        return (yield Call(self.predict, **attempts, **kwargs))

    def _attempt(self, row: Mapping[str, Any]) -> str:
        thought = str(row.get("rationale") or row.get("reasoning") or "").strip().split("\n")[0].strip()
        answer = str(row.get(self.last_key)).strip().split("\n")[0].strip()
        return f"«I'm trying to {thought} I'm not sure but my prediction is {answer}»"


def _rows(completions: Any) -> list[Any]:
    inner = getattr(completions, "completions", completions)
    if hasattr(inner, "keys") and not isinstance(inner, (list, tuple)):
        names = list(inner.keys())
        return [
            dict(zip(names, values, strict=True)) for values in zip(*(inner[n] for n in names), strict=True)
        ]
    return list(inner)
