"""Chain of thought: reason first, then answer (Wei et al., 2022, arXiv:2201.11903)."""

from __future__ import annotations

from typing import Any

from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.signatures import Field, OutputField, ensure_signature


class ChainOfThought(Answering[Answer], SteppedModule):
    """Predict with a field for reasoning before the outputs.

    Args:
        signature: what is asked; one that has a `reasoning` output already is taken as it is.
        rationale_field: the field to put first; `reasoning` by default.
        rationale_field_type: its type.
        **config: parameters of every request.
    """

    def __init__(
        self,
        signature: str | type[Answer],
        rationale_field: Field | None = None,
        rationale_field_type: type = str,
        **config: Any,
    ) -> None:
        asked = ensure_signature(signature)
        if "reasoning" not in asked.output_fields:
            field = rationale_field or OutputField(desc="the steps that lead to the answer")
            type_ = field.annotation if field.has_type else rationale_field_type
            asked = asked.prepend("reasoning", field, type_)
        self.predict = Predict(asked, **config)

    def steps(self, **kwargs: Any) -> Steps[Any]:
        """Reason and answer; inputs by keyword."""
        return (yield Call(self.predict, **kwargs))
