"""The instruction proposer: a model writes an instruction, grounded in all that is known of the task.

From MIPRO (Opsahl-Ong et al., 2024, arXiv:2406.11695, section 3.1): in a summary of the data, the program,
runs of it, earlier instructions, and a tip. What is not known is not mentioned, so that prompts stay short.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telic.lm.base import BaseLM
from telic.optimize.proposing.showing import example_text
from telic.optimize.strategy import Ask
from telic.program.predict import Predict
from telic.signatures import InputField, OutputField, make_signature

_TASK = (
    "Write an instruction for a language model that does the step described below. Say what it is to do "
    "with the inputs and what the output must look like. Whoever follows it sees only the instruction and "
    "the inputs. Give the instruction and nothing else."
)
_INPUTS = {
    "data": "the data it will work on",
    "program": "the program that the step is part of",
    "purpose": "what the step is for",
    "examples": "what the step was given, and gave, when all went well",
    "earlier": "instructions that were tried, with their scores; write a better one",
    "step": "inputs and outputs of the step",
    "current_instruction": "",
    "tip": "what kind of instruction to write",
}
_LABEL = re.compile(r"^\W*(?:(?:new|proposed|improved|better)\s+)?instructions?\W*:\s*", re.IGNORECASE)
_QUOTES = {'"': '"', "'": "'", "“": "”", "`": "`"}


@dataclass(frozen=True, slots=True)
class Ground:
    """What one proposal is grounded in; empty parts are left out of the prompt.

    Attributes:
        step: the step's signature, with types.
        current: its current instruction.
        data: summary of the data.
        program: description of the program.
        purpose: what the step is for.
        demos: runs of the step.
        earlier: earlier instructions, as `history_text` gives them.
        tip: what kind of instruction to write.
    """

    step: str
    current: str
    data: str = ""
    program: str = ""
    purpose: str = ""
    demos: Sequence[Mapping[str, Any]] = ()
    earlier: str = ""
    tip: str = ""


def propose_instruction(
    ground: Ground,
    *,
    lm: BaseLM | None,
    rollout: int,
    temperature: float | None,
    why: str,
    prefix: bool = False,
) -> Ask:
    """Ask for an instruction.

    Args:
        ground: what is known.
        lm: the model to ask; `None` for `settings.lm`.
        rollout: which sample; others than 0 are drawn anew.
        temperature: of the sampling.
        why: for the journal.
        prefix: also ask for the words that the last output begins after.
    """
    known = {
        "data": ground.data,
        "program": ground.program,
        "purpose": ground.purpose,
        "examples": [example_text(demo) for demo in ground.demos],
        "earlier": ground.earlier,
        "step": ground.step,
        "current_instruction": ground.current,
        "tip": ground.tip,
    }
    inputs = {name: value for name, value in known.items() if value}
    fields: dict[str, Any] = {
        name: (list[str] if name == "examples" else str, InputField(desc=_INPUTS[name])) for name in inputs
    }
    fields["instruction"] = (str, OutputField())
    like = {"instruction": f"{ground.current} Be exact, and give the output in the form that is asked for."}
    if prefix:
        fields["prefix"] = (str, OutputField(desc="one to three words that the output is written after"))
        like["prefix"] = "The answer is:"
    return Ask(
        Predict(make_signature(fields, _TASK, "ProposeInstruction")),
        inputs,
        lm=lm,
        rollout=rollout,
        temperature=temperature,
        like={
            "instruction": f"{ground.current} Be exact, and give the output in the form that is asked for."
        },
        why=why,
    )


def instruction_in(value: Any) -> str | None:
    """The instruction in a reply, without a label, fence or quotes around it; `None` where there is none."""
    text = str((value or {}).get("instruction") or "").strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text[:-3].partition("\n")[2].strip()
    text = _LABEL.sub("", text)
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text or None
