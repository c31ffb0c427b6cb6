"""From what a predictor was given and gave to a training example: the prompt as it will be asked, and the
answer as it should be written, both in the adapter's own words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.errors import DataError
from telic.finetune.data import Format, TrainingExample


def render_example(
    adapter: Any,
    lm: Any,
    signature: Any,
    demos: Sequence[Any],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
) -> TrainingExample:
    """One example of a call.

    Where the model chats, it is what the adapter's `format_finetune_data` gives; where it continues text, the
    prompt ends where the model begins, and the completion is what is to follow.

    Args:
        adapter: whose words.
        lm: the model that will be asked; what it can do decides between chat and text.
        signature: what is asked.
        demos: shown in the prompt.
        inputs: the input fields.
        outputs: the output fields.

    Raises:
        DataError: the prompt has parts that are not text.
    """
    adapter = adapter.speaker(lm.capabilities)
    rendered = adapter.render(signature, demos, inputs, lm.capabilities, lm)
    asked = rendered.asked or signature
    if rendered.messages is None:
        answer = _continuation(adapter, asked, outputs)
        return TrainingExample.of_text(rendered.prompt, answer)
    own = getattr(adapter, "format_finetune_data", None)
    if own is not None and rendered.asked is None:
        *turns, answered = own(signature, demos, inputs, outputs)["messages"]
        return _of_turns(turns, answered["content"])
    return _of_turns(rendered.messages, _continuation(adapter, asked, outputs).strip())


def format_for(lm: Any, example: TrainingExample) -> Format:
    """How examples of a model are trained on: as its engine says, else as a chat where the prompt has turns
    that the model's template writes.
    """
    told: Format | None = getattr(getattr(lm, "engine", None), "training_format", None)
    if told is not None:
        return told
    text = lm.capabilities.completion and len(example.prompt) == 1 and example.from_text
    return "completion" if text or not lm.capabilities.chat else "chat"


def _of_turns(turns: Sequence[Mapping[str, Any]], answer: str) -> TrainingExample:
    for turn in turns:
        if not isinstance(turn.get("content"), str):
            raise DataError(
                f"The prompt has a turn ({turn.get('role')}) that is not text: pictures, sounds and files "
                "cannot be trained on yet. Leave such inputs out of the signature of what is trained."
            )
    kept = tuple({"role": turn["role"], "content": turn["content"]} for turn in turns)
    return TrainingExample(kept, answer)


def _continuation(adapter: Any, signature: Any, outputs: Mapping[str, Any]) -> str:
    """The answer without the first label, where the prompt ends with that."""
    text: str = adapter.format_assistant_message_content(signature, outputs)
    head = adapter.layout(signature).outputs[0].head
    prompt_has_it = adapter.name == "completion" and text.startswith(head)
    return text[len(head) :].rstrip() if prompt_has_it else text
