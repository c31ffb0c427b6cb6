"""A text of a module, besides its predictors' instructions, that a compiler may rewrite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import ProgramFileError
from telic.program.parameter import Parameter


class Text(Parameter):
    """A text that a module shows to a model, and that optimizers of instructions may rewrite.

        class Reply(telic.Module):
            def __init__(self):
                self.tone = telic.Text("Friendly, at most three sentences.", desc="tone of all answers")
                self.answer = telic.Predict("question, tone -> answer")

            def forward(self, question):
                return self.answer(question=question, tone=str(self.tone))

    It is saved and loaded with the program.

    Args:
        text: the text to begin with.
        desc: what it is for, told to whoever rewrites it.
    """

    def __init__(self, text: str, desc: str = "") -> None:
        self.text = text
        self.desc = desc
        self._given = text

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """`text`."""
        return {"text": self.text}

    def load_state(self, state: Any) -> Text:
        """Take the state `dump_state` gave.

        Raises:
            ProgramFileError: it is the state of something else.
        """
        if not isinstance(state, Mapping) or not isinstance(state.get("text"), str):
            raise ProgramFileError("The state of a Text is {'text': '…'}; this is not one.")
        self.text = state["text"]
        return self

    def reset(self) -> None:
        """Back to the text that was given."""
        self.text = self._given

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Text({self.text!r})"
