"""What leaves when an agent's prompt has outgrown the window: much at once, so that the prompt's beginning
then stays the same for many turns, and servers can reuse what they have read of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from telic.budget.estimate import prompt_tokens
from telic.modules.native_turns import Under
from telic.program.pipeline import resolve_lm
from telic.program.stepped import Call
from telic.runtime.settings import settings
from telic.runtime.steps import Step

LOW_WATER = 0.5
"""Down to which share of the room for turns it is emptied once it is full."""


class PromptSize:
    """Measures the prompts of one predictor.

    Tokens are counted by the model's tokenizer where it is at hand, else estimated from the text's length.

    Args:
        predictor: whose.
        choices: settings under which it is asked.
    """

    def __init__(self, predictor: Any, choices: Mapping[str, Any]) -> None:
        self._predictor = predictor
        self._choices = choices
        self._window: int | None = None

    def tokens(self, given: Mapping[str, Any]) -> int:
        """Tokens of the prompt for these keywords of the predictor."""
        with settings.context(callbacks=[], **self._choices):  # nobody need hear of prompts that are not sent
            lm = resolve_lm(self._predictor.lm)
            request = self._predictor.request_for(**given)
        counted: int | None = lm.count_tokens(request)
        if counted is None:
            return prompt_tokens(request)
        self._window = lm.context_window  # comparable with what is counted exactly only
        return counted

    def low_water(self, full: int, bare: int) -> int:
        """How many tokens may be left.

        Args:
            full: tokens of the prompt that does not fit.
            bare: tokens of the prompt without any turn.
        """
        room = min(full, self._window or full) - bare
        return bare + int(max(room, 0) * LOW_WATER)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a module again and again, as turns come and go.

    Attributes:
        module: who is called.
        predictor: whose prompt it becomes.
        given: the module's keywords for the turns there are.
        choices: settings to ask under.
        traced: whether the call is noted in the trace.
    """

    module: Any
    predictor: Any
    given: Callable[[Mapping[str, Any]], dict[str, Any]]
    choices: Mapping[str, Any] = field(default_factory=dict)
    traced: bool = True

    def step(self, turns: Mapping[str, Any]) -> Step:
        """The step that asks it."""
        call = Call(self.module, **self.given(turns))
        return call if self.traced and not self.choices else Under(call, self.choices, traced=self.traced)

    def size(self) -> PromptSize:
        """How large its prompts are."""
        return PromptSize(self.predictor, self.choices)
