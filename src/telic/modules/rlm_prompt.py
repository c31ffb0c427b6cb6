"""What an `RLM` asks of its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.signatures import InputField, OutputField, make_signature
from telic.signatures.validation import type_name

EXTRACTED = "The turns were used up; the outputs were extracted from what they found out."
"""The `final_reasoning` where nothing was submitted."""

_RULES = """\
You cannot see the inputs whole: they are variables in a Python session, and may be far too long to be read \
in one go. Each turn, write code; it is run, and you see what it printed. Variables last from turn to turn.

How to work:
1. First look: print lengths, types and samples, until you know how the data is built.
2. Go in small steps, and look at what each gives before the next.
3. Python finds where something is; a language model says what it means. Cut out the parts that matter and \
give them to llm_query, many at once to llm_query_batched. A sub-call sees only its prompt, of at most some \
500,000 characters.
4. Do not copy long or exact values by hand; keep them in variables and compute with them.
5. Check what seems odd (nothing found, zero, empty) before you rely on it.
6. Submit in a turn of its own, when you have seen the values that you submit. SUBMIT ends the work."""


def instructions_of(factory: Any) -> str:
    """What an interpreter's factory says of it, for a model."""
    return str(getattr(factory, "execution_instructions", "") or "")


def action_signature(signature: Any, tools: Mapping[str, Any], max_llm_calls: int, guidance: str) -> Any:
    """The signature of a turn.

    Args:
        signature: the task's.
        tools: the user's tools by name.
        max_llm_calls: most sub-calls.
        guidance: what runs the code.
    """
    inputs = ", ".join(f"`{name}`" for name in signature.input_fields)
    outputs = "\n".join(_output_line(field) for field in signature.output_fields.values())
    fields = ", ".join(signature.output_fields)
    listed = "".join(f"\n- {tool.format()}" for tool in tools.values())
    parts = [
        signature.instructions,
        f"From the inputs {inputs}, find out:\n{outputs}",
        _RULES,
        guidance,
        f"In the session there are:\n- the variables {inputs}\n"
        "- llm_query(prompt): asks a language model, returns its answer as text\n"
        "- llm_query_batched(prompts): the same for a list of prompts at once, returns a list\n"
        f"- SUBMIT({fields}): submits the outputs{listed}\n"
        f"There are {max_llm_calls} sub-calls in all.",
    ]
    rows = {
        "variables_info": (str, InputField(desc="the variables: types, lengths, beginnings")),
        "repl_history": (str, InputField(desc="your turns so far, with what they printed")),
        "iteration": (str, InputField(desc="this turn, of how many")),
        "reasoning": (str, OutputField(desc="what is known, what is missing, what to do about it")),
        "code": (str, OutputField(desc="Python code to run, as one fenced block")),
    }
    return make_signature(rows, "\n\n".join(part for part in parts if part))


def extract_signature(signature: Any) -> Any:
    """The signature that takes the outputs from turns that submitted none."""
    outputs = {name: (field.annotation, field) for name, field in signature.output_fields.items()}
    rows: dict[str, Any] = {
        "variables_info": (str, InputField(desc="the variables: types, lengths, beginnings")),
        "repl_history": (str, InputField(desc="the turns, with what they printed")),
        **outputs,
    }
    names = ", ".join(f"`{name}`" for name in outputs)
    return make_signature(
        rows,
        f"This was the task:\n{signature.instructions}\n\nA Python session worked on it, and its turns are "
        f"used up. From what they found out, give the best {names}.",
    )


def _output_line(field: Any) -> str:
    desc = f": {field.desc}" if field.desc else ""
    return f"- {field.name} ({type_name(field.annotation)}){desc}"
