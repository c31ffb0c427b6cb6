"""Asking again: the same request, the model's own answer, what was wrong."""

import pickle

import pytest

from telic.adapters import ChatAdapter, CompletionAdapter, JSONAdapter, XMLAdapter
from telic.errors import AdapterParseError
from telic.types import Capabilities

from .declared import signature_of

SIGNATURE = signature_of({"reasoning": str, "answer": (int, {"ge": 0, "le": 9})})
DEMO = {"question": "1+1", "reasoning": "two ones", "answer": 2}


def refused(adapter, text):
    with pytest.raises(AdapterParseError) as caught:
        adapter.read(SIGNATURE, text)
    return caught.value


WRONG = [
    (ChatAdapter(), "[[ ## reasoning ## ]]\nso\n\n[[ ## answer ## ]]\ntwelve"),
    (JSONAdapter(), '{"reasoning": "so", "answer": "twelve"}'),
    (XMLAdapter(), "<reasoning>so</reasoning><answer>twelve</answer>"),
    (CompletionAdapter(), "so\nAnswer: twelve"),
]


@pytest.mark.parametrize(("adapter", "text"), WRONG, ids=repr)
def test_in_a_chat(adapter, text):
    rendered = adapter.render(
        SIGNATURE, [DEMO], {"question": "6+6"}, Capabilities(json_schema=True, grammar=True)
    )
    before = list(rendered.messages)
    error = refused(adapter, text)
    again = adapter.repair(SIGNATURE, rendered, text, error)
    assert again.messages[:-2] == before == rendered.messages  # a server can go on from what it has read
    answer, note = again.messages[-2:]
    assert answer == {"role": "assistant", "content": text}
    assert note["role"] == "user"
    assert error.detail in note["content"]
    assert "'twelve'" in note["content"]
    for name in ("reasoning", "answer"):
        assert name in note["content"].removeprefix(error.detail).casefold()
    assert again.constraint == rendered.constraint
    assert again.params == rendered.params


@pytest.mark.parametrize("adapter", [adapter for adapter, _ in WRONG], ids=repr)
def test_an_empty_answer_is_not_sent_back_as_a_turn(adapter):
    rendered = adapter.render(SIGNATURE, [DEMO], {"question": "6+6"})
    again = adapter.repair(SIGNATURE, rendered, " \n", refused(adapter, " \n"))
    assert len(again.messages) == len(rendered.messages)
    assert again.messages[:-1] == rendered.messages[:-1]
    assert again.messages[-1]["content"].startswith(rendered.messages[-1]["content"])
    assert "not in the answer" in again.messages[-1]["content"]


def test_a_prompt_goes_on_with_a_remark_and_the_record_anew():
    adapter = CompletionAdapter()
    rendered = adapter.render(SIGNATURE, [DEMO], {"question": "6+6\n\nor so"}, Capabilities(completion=True))
    text = " so\n\nAnswer: twelve\n\n\nQuestion: x"
    again = adapter.repair(SIGNATURE, rendered, text, refused(adapter, text))
    assert again.prompt.startswith(f"{rendered.prompt} so\nAnswer: twelve\n")
    assert again.prompt.endswith("\n\nQuestion: 6+6\n  \n  or so\nReasoning:")
    assert "'twelve'" in again.prompt
    assert again.params == rendered.params
    assert again.messages is None


def test_other_adapters_on_a_model_that_only_completes():
    adapter = ChatAdapter()
    rendered = adapter.render(SIGNATURE, [], {"question": "6+6"}, Capabilities(chat=False, completion=True))
    again = adapter.repair(SIGNATURE, rendered, WRONG[0][1], refused(*WRONG[0]))
    assert again.prompt.startswith(rendered.prompt + WRONG[0][1])
    assert "'twelve'" in again.prompt


def test_parts_of_a_message_stay_parts():
    adapter = ChatAdapter()
    rendered = adapter.render(SIGNATURE, [], {"question": "6+6"})
    image = {"type": "image_url", "image_url": {"url": "http://localhost/x.png"}}
    rendered.messages[-1]["content"] = [image]
    again = adapter.repair(SIGNATURE, rendered, "", refused(adapter, ""))
    assert again.messages[-1]["content"][0] == image
    assert again.messages[-1]["content"][1]["type"] == "text"


def test_an_error_from_elsewhere_can_be_repaired_too():
    adapter = ChatAdapter()
    rendered = adapter.render(SIGNATURE, [], {"question": "6+6"})
    error = AdapterParseError("Mine", SIGNATURE, "x")
    note = adapter.repair(SIGNATURE, rendered, "x", error).messages[-1]["content"]
    assert "does not have the fields" in note
    assert pickle.loads(pickle.dumps(error)).detail == error.detail
