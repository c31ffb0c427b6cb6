"""What is sent: roles, order, markers, demos, types."""

import enum
from typing import Literal

import pytest

from telic.adapters import ChatAdapter, CompletionAdapter, JSONAdapter, XMLAdapter
from telic.adapters.pieces import NOT_GIVEN, PARTIAL_DEMO
from telic.data.example import Example
from telic.signatures import make_signature
from telic.types import Capabilities

from .declared import INPUTS, OUTPUTS, Everything, signature_of

TURNS = [ChatAdapter(), JSONAdapter(), XMLAdapter()]
QA = make_signature("question -> answer")


def roles(messages):
    return [message["role"] for message in messages]


@pytest.mark.parametrize("adapter", TURNS, ids=repr)
def test_static_part_first_demos_as_turns_new_input_last(adapter):
    demos = [{"question": "1?", "answer": "one"}, Example(question="2?", answer="two")]
    messages = adapter.format(QA, demos, {"question": "3?"})
    assert roles(messages) == ["system", "user", "assistant", "user", "assistant", "user"]
    for message, text in zip(messages[1:], ("1?", "one", "2?", "two", "3?"), strict=True):
        assert text in message["content"]
    assert messages[0] == adapter.format(QA, [], {"question": "other"})[0]
    assert messages[1]["content"] != messages[-1]["content"].replace(
        "3?", "1?"
    )  # the request comes at the end


def test_chat_messages_to_the_letter():
    messages = ChatAdapter().format(QA, [{"question": "1?", "answer": "one"}], {"question": "2?"})
    system, *turns = [message["content"] for message in messages]
    assert turns == [
        "[[ ## question ## ]]\n1?",
        "[[ ## answer ## ]]\none\n\n[[ ## completed ## ]]\n",
        "[[ ## question ## ]]\n2?\n\nNow write `[[ ## answer ## ]]`, and last `[[ ## completed ## ]]`.",
    ]
    layout = "[[ ## question ## ]]\n{question}\n\n[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]"
    assert layout in system
    assert "1. `question` (str):" in system
    assert "1. `answer` (str):" in system
    assert QA.instructions in system


def test_json_asks_for_an_object_and_shows_demos_as_objects():
    messages = JSONAdapter().format(QA, [{"question": "1?", "answer": 'o"ne'}], {"question": "2?"})
    assert messages[1]["content"] == "[[ ## question ## ]]\n1?"
    assert messages[2]["content"] == '{\n  "answer": "o\\"ne"\n}'
    assert messages[3]["content"].startswith("[[ ## question ## ]]\n2?\n\n")
    assert '"answer": "{answer}"' in messages[0]["content"]
    compact = JSONAdapter(indent=None).format(QA, [{"question": "1?", "answer": "one"}], {"question": "2?"})
    assert compact[2]["content"] == '{"answer": "one"}'


def test_xml_elements_escaped_only_in_answers():
    messages = XMLAdapter().format(QA, [{"question": "a<b&c", "answer": "x<y&z"}], {"question": "2?"})
    assert messages[1]["content"] == "<question>\na<b&c\n</question>"
    assert messages[2]["content"] == "<answer>\nx&lt;y&amp;z\n</answer>"
    assert "<answer>\n{answer}\n</answer>" in messages[0]["content"]


def test_completion_text_to_the_letter():
    signature = signature_of(
        {"intent": (Literal["billing", "refund"], {"desc": "what the customer wants"})},
        instructions="Classify the message.\n\nBe strict.",
        message=str,
    )
    demos = [{"message": "Charged twice\n\nWhy?", "intent": "billing"}]
    rendered = CompletionAdapter().render(
        signature, demos, {"message": "Money back!"}, Capabilities(completion=True)
    )
    assert rendered.messages is None
    assert rendered.prompt == (
        "Classify the message.\n"
        "Be strict.\n"
        "- Intent: what the customer wants; one of: billing; refund\n"
        "\n"
        "Message: Charged twice\n"
        "  \n"
        "  Why?\n"
        "Intent: billing\n"
        "\n"
        "Message: Money back!\n"
        "Intent:"
    )
    chat = CompletionAdapter().render(signature, demos, {"message": "Money back!"})
    assert chat.messages == [{"role": "user", "content": rendered.prompt}]
    assert chat.params == {}


def test_choices_are_listed_unless_demos_and_a_grammar_make_up_for_it():
    signature = signature_of({"intent": Literal["billing", "refund"]}, message=str)
    demo, inputs = {"message": "Charged twice", "intent": "billing"}, {"message": "?"}
    free, held = Capabilities(completion=True), Capabilities(completion=True, grammar=True)

    def listed(adapter, demos, capabilities):
        return "one of: billing; refund" in adapter.render(signature, demos, inputs, capabilities).prompt

    assert [listed(CompletionAdapter(), d, c) for d in ([], [demo]) for c in (free, held)] == [
        True,
        True,
        True,
        False,
    ]
    assert not listed(CompletionAdapter(choices=False), [], free)
    assert listed(CompletionAdapter(choices=True), [demo], held)
    assert not listed(CompletionAdapter(choices=False), [demo], held)


def test_labels_come_from_prefixes_and_never_clash():
    signature = make_signature("question, some_text -> answer, isOk: bool")
    signature = signature.with_updated_fields("question", prefix="Ask:")
    signature = signature.with_updated_fields("some_text", prefix="ask:")
    text = CompletionAdapter().format(signature, [], {"question": "a", "some_text": "b"})[0]["content"]
    assert text.endswith("Ask: a\nSome Text: b\nAnswer:")
    assert "Is Ok: True" in CompletionAdapter().format_assistant_message_content(signature, {"isOk": True})


@pytest.mark.parametrize("adapter", TURNS, ids=repr)
def test_partial_demos_come_first_with_a_note_and_placeholders(adapter):
    signature = make_signature("x, z -> a, b")
    whole = {"x": "x1", "z": "z1", "a": "a1", "b": "b1"}
    demos = [whole, {"x": "x2", "a": "a2"}, {"x": "only inputs"}, {"a": "only outputs"}]
    messages = adapter.format(signature, demos, {"x": "x3", "z": "z3"})
    assert roles(messages) == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[1]["content"].startswith(PARTIAL_DEMO)
    assert "x2" in messages[1]["content"]
    assert NOT_GIVEN in messages[2]["content"]
    assert not messages[3]["content"].startswith(PARTIAL_DEMO)
    assert NOT_GIVEN not in messages[4]["content"]
    assert not any("only" in message["content"] for message in messages)


def test_what_a_demo_lacks_is_left_out_of_plain_text():
    signature = make_signature("question -> reasoning, answer: int")
    demos = [{"question": "1?", "reasoning": "r", "answer": 1}, {"question": "2?", "answer": 2}]
    text = CompletionAdapter().format(signature, demos, {"question": "3?"})[0]["content"]
    assert (
        "Question: 2?\nAnswer: 2\n\nQuestion: 1?\nReasoning: r\nAnswer: 1\n\nQuestion: 3?\nReasoning:" in text
    )


@pytest.mark.parametrize("adapter", [*TURNS, CompletionAdapter()], ids=repr)
def test_none_counts_as_given_only_where_the_type_allows_it(adapter):
    signature = signature_of({"answer": str, "maybe": int | None})
    messages = adapter.format(
        signature, [{"question": "1?", "answer": "a", "maybe": None}], {"question": "2?"}
    )
    text = "".join(message["content"] for message in messages)
    assert PARTIAL_DEMO not in text
    assert NOT_GIVEN not in text
    assert len(adapter.format(signature, [{"question": "1?", "answer": None}], {"question": "2?"})) == len(
        adapter.format(signature, [], {"question": "2?"})
    )


@pytest.mark.parametrize("adapter", TURNS, ids=repr)
def test_every_type_is_named_and_its_form_told(adapter):
    system = adapter.format_system_message(Everything)
    for line in (
        "1. `question` (str): what is asked",
        "2. `passages` (list[str]):",
        "2. `label` (Literal['billing', 'refund request', 'other']): what it is about",
        "at least 1, at most 5",
        "billing; refund request; other",
        "red; dark blue",
        "a whole number",
        "YYYY-MM-DD",
        "Answer the question.\n\nBe brief.",
    ):
        assert line in system, line
    assert "title" not in system
    assert ("<people><item><name>...</name>" if adapter.name == "xml" else '"$defs": {') in system


def test_values_in_sections():
    content = ChatAdapter().format_user_message_content(Everything, INPUTS)
    assert content == (
        "[[ ## question ## ]]\nWhat?\nReally?\n\n"
        '[[ ## passages ## ]]\n["one", "two\\nlines"]\n\n'
        '[[ ## person ## ]]\n{"name": "Zoë", "age": null, "kind": "guest", "address": null, "tags": []}\n\n'
        "[[ ## when ## ]]\n2020-01-02\n\n"
        "[[ ## note ## ]]\nNone"
    )
    answer = ChatAdapter().format_assistant_message_content(Everything, OUTPUTS)
    assert "[[ ## color ## ]]\ndark blue\n" in answer
    assert "[[ ## sure ## ]]\nTrue\n" in answer
    assert "[[ ## maybe ## ]]\nNone\n" in answer
    assert '[[ ## people ## ]]\n[{"name": "Åsa", "age": null,' in answer


class Tone(enum.StrEnum):
    WARM = "warm"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a"], "«a»"),
        (["a", "b\nc", "d «e»"], "[1] «a»\n[2] «««\n    b\n    c\n»»»\n[3] «««\n    d «e»\n»»»"),
        ([], "N/A"),
        (["a", {"k": 1}], '[1] «a»\n[2] «{"k": 1}»'),
        (5, "5"),
        (None, "None"),
        ({"k": ["é", 1]}, '{"k": ["é", 1]}'),
        (("a", "b"), '["a", "b"]'),
        (Tone.WARM, "warm"),
        (Example(a=1), '{"a": 1}'),
        ("  as it is ", "as it is"),
    ],
)
def test_values_in_a_text_field(value, text):
    content = ChatAdapter().format_user_message_content(QA, {"question": value})
    assert content.removeprefix("[[ ## question ## ]]\n").strip() == text


@pytest.mark.parametrize("adapter", TURNS, ids=repr)
def test_prefix_suffix_and_missing_fields(adapter):
    signature = make_signature("q, r: list[str] -> a, b: int")
    content = adapter.format_user_message_content(signature, {"q": "x"}, prefix="PRE", suffix="SUF")
    assert content.startswith("PRE\n\n")
    assert content.endswith("\n\nSUF")
    assert "r" not in content.replace("PRE", "")
    main = adapter.format_user_message_content(signature, {"q": "x"}, suffix="SUF", main_request=True)
    assert adapter.user_message_output_requirements(signature) in main
    assert "MISS" in adapter.format_assistant_message_content(
        signature, {"a": "x"}, missing_field_message="MISS"
    )


@pytest.mark.parametrize("adapter", TURNS, ids=repr)
def test_finetuning_data_is_the_request_with_its_answer(adapter):
    data = adapter.format_finetune_data(QA, [], {"question": "1?"}, {"answer": "one"})
    assert data["messages"][:-1] == adapter.format(QA, [], {"question": "1?"})
    assert data["messages"][-1]["role"] == "assistant"
    assert adapter.read(QA, data["messages"][-1]["content"]) == {"answer": "one"}


class Turns:
    """A conversation so far, as a type that an input field may have."""

    is_history = True

    def __init__(self, messages):
        self.messages = messages


@pytest.mark.parametrize("adapter", TURNS, ids=repr)
def test_earlier_turns_stand_between_demos_and_the_new_input(adapter):
    signature = signature_of({"answer": str}, question=str, history=Turns)
    history = Turns([{"question": "q1", "answer": "a1"}, {"question": "q2", "answer": "a2"}])
    demo = {"question": "d", "answer": "da"}
    messages = adapter.format(signature, [demo], {"question": "now", "history": history})
    assert roles(messages) == ["system", *["user", "assistant"] * 3, "user"]
    asked = adapter.user_message_output_requirements(signature)
    assert [asked in message["content"] for message in messages[1::2]] == [False, True, True, True]
    assert "a2" in messages[6]["content"]
    assert len(adapter.format(signature, [], {"question": "now"})) == 2


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter(), XMLAdapter()], ids=repr)
def test_a_model_without_chat_gets_one_prompt(adapter):
    base = Capabilities(chat=False, completion=True)
    rendered = adapter.render(QA, [{"question": "1?", "answer": "one"}], {"question": "2?"}, base)
    assert rendered.messages is None
    contents = [
        m["content"].strip()
        for m in adapter.format(QA, [{"question": "1?", "answer": "one"}], {"question": "2?"})
    ]
    assert rendered.prompt == "\n\n".join(contents) + "\n\n"


def test_stops_do_not_cut_legitimate_answers():
    adapter, can = CompletionAdapter(), Capabilities(completion=True)
    text, label = make_signature("question -> answer"), make_signature("question -> n: int")
    several = make_signature("question -> reasoning, n: int")

    def stops(signature, *demos, adapter=adapter):
        return adapter.render(signature, demos, {"question": "?"}, can).params.get("stop")

    line, block = {"question": "1", "answer": "one"}, {"question": "1", "answer": "one\n\ntwo"}
    assert stops(text) == ["\nQuestion:"]
    assert stops(text, line) == ["\n\n", "\nQuestion:"]
    assert stops(text, line, block) == ["\nQuestion:"]
    assert stops(text, line, adapter=CompletionAdapter(multiline=True)) == ["\nQuestion:"]
    assert stops(text, block, adapter=CompletionAdapter(multiline=False)) == ["\n\n", "\nQuestion:"]
    assert stops(label) == ["\n\n", "\nQuestion:"]
    assert stops(several) == ["\nQuestion:"]
    prompt = adapter.render(text, [block], {"question": "?"}, can).prompt
    assert "Answer: one\n  \n  two\n\nQuestion: ?" in prompt  # what is cut at a blank line is never a value


def test_a_signature_without_inputs():
    signature = make_signature("-> joke")
    for adapter in (*TURNS, CompletionAdapter()):
        messages = adapter.format(signature, [{"joke": "ha"}], {})
        assert "ha" in "".join(message["content"] for message in messages)
    rendered = CompletionAdapter().render(signature, [], {}, Capabilities(completion=True))
    assert rendered.params == {}
    assert rendered.prompt.endswith("\n\nJoke:")
    assert CompletionAdapter().read(signature, " Knock knock") == {"joke": "Knock knock"}
