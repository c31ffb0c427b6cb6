"""`Predict`: the module every other is built of. A signature says what; demos, instructions and LM are learnt
or set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from telic.adapters.base import Adapter
from telic.errors import InputError, TelicError
from telic.lm.base import BaseLM
from telic.program.adapting import adapter_for
from telic.program.answers import Answer, Answering
from telic.program.fitting import fitted
from telic.program.module import Module
from telic.program.parameter import Parameter
from telic.program.pipeline import Ask, build_request, gather, predict
from telic.program.tree import path_of
from telic.runtime import scope as scopes
from telic.runtime.steps import Steps, adrive, drive
from telic.signatures import ensure_signature
from telic.types import Request


class Predict(Answering[Answer], Module, Parameter):
    """Ask an LM for the outputs of a signature.

    Args:
        signature: a `Signature` class, or a string such as `"question, context: list[str] -> answer: int"`.
        callbacks: told of each call of this predictor.
        **config: parameters of every request (`temperature`, `max_tokens`, `n`, …).

    Call it with the inputs as keywords; `signature=`, `demos=`, `config=` and `lm=` override for one call.

    Attributes:
        signature: what is asked.
        criteria: what was said about the options of outputs, by name.
        demos: examples shown before the question.
        config: parameters of every request.
        lm: its own LM, or `None` for the one in the settings.
        adapter: its own adapter (or an adapter's name), or `None`.

    Raises:
        InputError: positional, missing or unknown inputs.
        LMNotConfiguredError: no LM is set.
        AdapterParseError: the answer does not fit the signature, after the repairs `settings.max_repairs`
            allows.
    """

    def __init__(
        self, signature: str | type[Answer], callbacks: list[Any] | None = None, **config: Any
    ) -> None:
        if callbacks:
            self.callbacks = callbacks
        self.signature: Any = ensure_signature(signature)
        self.config: dict[str, Any] = config
        self.adapter: Adapter | str | None = None
        self.reset()

    def reset(self) -> None:
        """Forget demos and LM."""
        self.lm: BaseLM | None = None
        self.demos: list[Any] = []
        self.criteria: dict[str, Any] = {}
        self.traces: list[Any] = []
        self.train: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Answer:
        """Predict, blocking; inputs by keyword."""
        self._no_positional(args)
        return super().__call__(**kwargs)

    async def acall(self, *args: Any, **kwargs: Any) -> Answer:
        """Predict on the running loop; inputs by keyword."""
        self._no_positional(args)
        return await super().acall(**kwargs)

    def forward(self, **kwargs: Any) -> Any:
        """Predict, blocking, without callbacks."""
        return drive(self._steps(kwargs))

    async def aforward(self, **kwargs: Any) -> Any:
        """Predict on the running loop, without callbacks."""
        return await adrive(self._steps(kwargs))

    def _steps(self, kwargs: dict[str, Any]) -> Steps[Any]:
        try:
            ask = gather(self, kwargs)
            ask.inputs = fitted(ask.signature, ask.inputs)
            return (yield from predict(ask))
        except TelicError as error:
            if error.program_path is None:
                error.program_path = path_of(scopes.current().root, self)
            raise

    def request_for(self, **inputs: Any) -> Request:
        """The request this predictor would send for these inputs."""
        ask: Ask = gather(self, inputs)
        ask.inputs = fitted(ask.signature, ask.inputs)
        return build_request(ask)

    def adapter_in_use(self) -> Adapter:
        """The adapter this predictor would speak through now.

        Raises:
            LMNotConfiguredError: no LM is set.
        """
        from telic.program.pipeline import resolve_lm

        return adapter_for(self.adapter, resolve_lm(self.lm))

    def update_config(self, **kwargs: Any) -> None:
        """Set parameters of every request."""
        self.config = {**self.config, **kwargs}

    def get_config(self) -> dict[str, Any]:
        """Parameters of every request."""
        return self.config

    def get_criteria(self, field: str) -> Any:
        """What is said about the options of an output; see `telic.program.criteria`."""
        from telic.program.criteria import criteria_of

        return criteria_of(self, field)

    def set_criteria(self, field: str, criteria: Any) -> None:
        """Say what the options of an output mean; it is saved with the predictor."""
        from telic.program.criteria import set_criteria

        set_criteria(self, field, criteria)

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """Signature, demos, config, adapter and LM, as JSON; without `json_mode`, demos as they are."""
        from telic.program.predictor_state import dump_predictor

        return dump_predictor(self, json_mode=json_mode)

    def load_state(  # type: ignore[override]
        self, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False
    ) -> Self:
        """Take the state `dump_state` gave (DSPy's is read too); returns this predictor.

        Raises:
            SignatureError: the state's fields differ from this signature's; the differences are named.
        """
        from telic.program.predictor_state import load_predictor

        load_predictor(self, state, allow_unsafe_lm_state=allow_unsafe_lm_state)
        return self

    def _no_positional(self, args: tuple[Any, ...]) -> None:
        if args:
            names = ", ".join(self.signature.input_fields)
            raise InputError(
                f"Predict takes its inputs by keyword ({names}), not by position. "
                f"Write predict({', '.join(f'{n}=…' for n in self.signature.input_fields)})."
            )

    def __repr__(self) -> str:
        return f"Predict({self.signature.signature}, {len(self.demos)} demos)"
