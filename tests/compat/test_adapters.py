"""What adapters send, whatever their form, in DSPy's terms: roles, order, demos, conversations, own ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.cards import QA, Card, Person, adapters, text_of
from tests.compat.scripts import chat, dummy, markers, section, sent, served
from tests.compat.target import dspy

NAMES = ["chat", "json", "xml"]
each_adapter = pytest.mark.parametrize("adapter", adapters(), ids=NAMES)


# The frame.


@each_adapter
def test_system_then_user(adapter: Any) -> None:
    messages = adapter.format(QA, [], {"question": "Q1", "hint": "H1"})
    assert [message["role"] for message in messages] == ["system", "user"]


@each_adapter
def test_the_system_message_has_the_task_and_the_fields(adapter: Any) -> None:
    system = text_of(adapter.format(QA, [], {"question": "Q1", "hint": "H1"})[0])
    assert "Answer the question." in system
    for name in ("question", "hint", "reasoning", "answer"):
        assert f"`{name}`" in system


@each_adapter
def test_inputs_are_in_the_user_message_and_not_in_the_system_message(adapter: Any) -> None:
    system, user = adapter.format(QA, [], {"question": "What is it?", "hint": "A thing"})
    assert "What is it?" in text_of(user)
    assert "A thing" in text_of(user)
    assert "What is it?" not in text_of(system)


@each_adapter
def test_demos_alternate(adapter: Any) -> None:
    demos = [{"question": f"Q{n}", "hint": "h", "reasoning": "r", "answer": f"A{n}"} for n in range(3)]
    messages = adapter.format(QA, demos, {"question": "Q", "hint": "h"})
    assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * 3, "user"]
    for n in range(3):
        assert f"Q{n}" in text_of(messages[1 + 2 * n])
        assert f"A{n}" in text_of(messages[2 + 2 * n])


@each_adapter
def test_the_system_message_does_not_depend_on_inputs(adapter: Any) -> None:
    first = adapter.format(QA, [], {"question": "one", "hint": "x"})[0]
    second = adapter.format(
        QA, [{"question": "q", "hint": "h", "reasoning": "r", "answer": "a"}], {"question": "2"}
    )
    assert first == second[0]


@each_adapter
def test_pieces_make_the_system_message(adapter: Any) -> None:
    system = adapter.format_system_message(QA)
    for piece in (
        adapter.format_field_description(QA),
        adapter.format_field_structure(QA),
        adapter.format_task_description(QA),
    ):
        assert piece.strip() in system


@each_adapter
def test_what_is_written_as_a_demo_is_read_as_an_answer(adapter: Any) -> None:
    outputs = {"reasoning": "because\nof this", "answer": "42"}
    assert adapter.parse(QA, adapter.format_assistant_message_content(QA, outputs)) == outputs


@each_adapter
def test_typed_outputs_round_trip(adapter: Any) -> None:
    outputs = {"who": Person(name="Ada", age=36), "tags": ["a", "b, c"], "mood": "good"}
    assert adapter.parse(Card, adapter.format_assistant_message_content(Card, outputs)) == outputs


@each_adapter
def test_prefix_and_suffix_of_a_user_message(adapter: Any) -> None:
    text = adapter.format_user_message_content(
        QA, {"question": "Q", "hint": "H"}, prefix="BEFORE", suffix="AFTER"
    )
    assert text.startswith("BEFORE")
    assert text.endswith("AFTER")


@each_adapter
def test_only_the_main_request_asks_for_fields(adapter: Any) -> None:
    demo = adapter.format_user_message_content(QA, {"question": "Q", "hint": "H"})
    main = adapter.format_user_message_content(QA, {"question": "Q", "hint": "H"}, main_request=True)
    assert "reasoning" in main
    assert "reasoning" not in demo


@each_adapter
def test_a_message_for_missing_fields(adapter: Any) -> None:
    text = adapter.format_assistant_message_content(QA, {"answer": "a"}, missing_field_message="NOT HERE")
    assert "NOT HERE" in text


@each_adapter
def test_finetuning_data_ends_with_the_answer(adapter: Any) -> None:
    if isinstance(adapter, dspy.JSONAdapter):
        pytest.skip("there is none for JSON in DSPy")
    data = adapter.format_finetune_data(
        QA, [], {"question": "Q", "hint": "h"}, {"reasoning": "r", "answer": "A"}
    )
    assert [message["role"] for message in data["messages"]] == ["system", "user", "assistant"]
    assert "A" in data["messages"][-1]["content"]


# Conversations.


class Talk(dspy.Signature):
    """Talk."""

    question: str = dspy.InputField()
    history: dspy.History = dspy.InputField()
    answer: str = dspy.OutputField()


TURNS = [{"question": "first?", "answer": "one"}, {"question": "second?", "answer": "two"}]


@each_adapter
def test_a_history_becomes_turns(adapter: Any) -> None:
    messages = adapter.format(Talk, [], {"question": "third?", "history": dspy.History(messages=TURNS)})
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "first?" in text_of(messages[1])
    assert "one" in text_of(messages[2])
    assert "third?" in text_of(messages[5])
    assert "first?" not in text_of(messages[5])


@each_adapter
def test_demos_come_before_the_history(adapter: Any) -> None:
    demos = [{"question": "demo?", "history": dspy.History(messages=[]), "answer": "shown"}]
    messages = adapter.format(Talk, demos, {"question": "now?", "history": dspy.History(messages=TURNS)})
    assert "demo?" in text_of(messages[1])
    assert "first?" in text_of(messages[3])


def test_an_empty_history() -> None:
    messages = dspy.ChatAdapter().format(Talk, [], {"question": "q?", "history": dspy.History(messages=[])})
    assert [m["role"] for m in messages] == ["system", "user"]


def test_a_history_is_no_section_of_the_request() -> None:
    user = dspy.ChatAdapter().format(Talk, [], {"question": "q?", "history": dspy.History(messages=TURNS)})[
        -1
    ]
    assert "history" not in markers(user["content"])


def test_a_conversation_goes_on() -> None:
    lm = dummy({"answer": "one"}, {"answer": "two"})
    predict, history = dspy.Predict(Talk), dspy.History(messages=[])
    for question in ("first?", "second?"):
        prediction = predict(question=question, history=history)
        history = dspy.History(messages=[*history.messages, {"question": question, **prediction}])
    assert [m["role"] for m in sent(lm)] == ["system", "user", "assistant", "user"]
    assert section(sent(lm)[2]["content"], "answer") == "one"
    assert len(history.messages) == 2


# An adapter of one's own.


class Terse(dspy.ChatAdapter):
    """Says less."""

    def format_task_description(self, signature: Any) -> str:
        return "DO: " + signature.instructions

    def user_message_output_requirements(self, signature: Any) -> str:
        return "Now: " + ", ".join(signature.output_fields)


class Plain(dspy.Adapter):
    """A protocol of its own."""

    def format(self, signature: Any, demos: Any, inputs: Any) -> Any:
        return [{"role": "user", "content": " | ".join(f"{k}={v}" for k, v in inputs.items())}]

    def parse(self, signature: Any, completion: str) -> Any:
        return {name: completion.upper() for name in signature.output_fields}


def test_pieces_can_be_overridden() -> None:
    with served(chat(answer="a")) as (server, _), dspy.context(adapter=Terse()):
        dspy.Predict("question -> answer")(question="Q")
    messages = server.bodies[0]["messages"]
    assert "DO: " in messages[0]["content"]
    assert messages[1]["content"].rstrip().endswith("Now: answer")


def test_format_and_parse_of_ones_own() -> None:
    with served("said") as (server, _), dspy.context(adapter=Plain()):
        assert dspy.Predict("question, hint -> answer")(question="Q", hint="H").answer == "SAID"
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "question=Q | hint=H"}]


def test_the_adapter_of_a_context() -> None:
    with served('{"answer": "a"}', model="openai/gpt-3.5") as (server, _):
        with dspy.context(adapter=dspy.JSONAdapter()):
            assert dspy.Predict("question -> answer")(question="Q").answer == "a"
    assert "JSON" in server.bodies[0]["messages"][-1]["content"]


def test_an_adapter_can_be_called_itself() -> None:
    lm = dspy.utils.DummyLM([{"answer": "a"}])
    rows = dspy.ChatAdapter()(lm, {}, dspy.Signature("question -> answer"), [], {"question": "Q"})
    assert rows == [{"answer": "a"}]


async def test_an_adapter_can_be_awaited_itself() -> None:
    lm = dspy.utils.DummyLM([{"answer": "a"}])
    rows = await dspy.ChatAdapter().acall(lm, {}, dspy.Signature("question -> answer"), [], {"question": "Q"})
    assert rows == [{"answer": "a"}]


# Two steps.


def test_two_step_extracts_from_free_text() -> None:
    extractor = dspy.utils.DummyLM([{"reasoning": "r", "answer": "42"}])
    with served("After some thought: forty-two.") as (server, _):
        with dspy.context(adapter=dspy.TwoStepAdapter(extraction_model=extractor)):
            prediction = dspy.Predict(QA)(question="Q?", hint="H")
    assert (prediction.reasoning, prediction.answer) == ("r", "42")
    first = server.bodies[0]["messages"]
    assert [m["role"] for m in first] == ["system", "user"]
    assert "Q?" in first[1]["content"]
    assert "[[ ##" not in first[1]["content"]
    assert "forty-two" in sent(extractor)[-1]["content"]


# BAML.


def test_baml_shows_types_in_its_own_notation() -> None:
    from tests.compat.target import REAL

    if REAL:
        from dspy.adapters.baml_adapter import BAMLAdapter
    else:
        BAMLAdapter = dspy.adapters.baml_adapter.BAMLAdapter
    system = BAMLAdapter().format(Card, [], {"text": "t"})[0]["content"]
    assert "name: string" in system
    assert "age: int" in system
    assert '"properties"' not in system


# Answers in another form.


@pytest.mark.parametrize("text", ["nothing of the kind", '{"answer": "x"}', "<answer>x</answer>", ""])
def test_chat_takes_its_own_form_only(text: str) -> None:
    with pytest.raises(dspy.utils.exceptions.AdapterParseError) as caught:
        dspy.ChatAdapter().parse(dspy.Signature("question -> answer"), text)
    assert caught.value.adapter_name == "ChatAdapter"
    assert caught.value.lm_response == text


@pytest.mark.parametrize("text", ["nothing of the kind", "[[ ## answer ## ]]\nx", "<answer>x</answer>", ""])
def test_json_takes_its_own_form_only(text: str) -> None:
    with pytest.raises(dspy.utils.exceptions.AdapterParseError):
        dspy.JSONAdapter().parse(dspy.Signature("question -> answer"), text)


@pytest.mark.parametrize("text", ["nothing of the kind", "[[ ## answer ## ]]\nx", '{"answer": "x"}'])
def test_xml_takes_its_own_form_only(text: str) -> None:
    with pytest.raises(dspy.utils.exceptions.AdapterParseError):
        dspy.XMLAdapter().parse(dspy.Signature("question -> answer"), text)


def test_an_object_where_sections_were_asked_for_is_asked_for_again() -> None:
    with served('{"answer": "x"}') as (server, _):
        assert dspy.Predict("question -> answer")(question="?").answer == "x"
    assert server.count == 2
    assert "response_format" not in server.bodies[0]
    assert "response_format" in server.bodies[1]


def test_nonsense_is_an_error_after_both() -> None:
    with served("nonsense") as (server, _):
        with pytest.raises(dspy.utils.exceptions.AdapterParseError):
            dspy.Predict("question -> answer")(question="?")
    assert server.count >= 2


def test_a_list_of_one_without_items_in_xml() -> None:
    signature = dspy.Signature("question -> names: list[str], totals: dict[str, float]")
    found = dspy.XMLAdapter().parse(signature, "<names>Ada</names><totals><GBP>2</GBP></totals>")
    assert found == {"names": ["Ada"], "totals": {"GBP": 2.0}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (["a"], "«a»"),
        (["a", "b"], "[1] «a»\n[2] «b»"),
        ({"a": 1}, '{"a": 1}'),
        (3, "3"),
        ([], "N/A"),
    ],
)
def test_values_in_text_fields(value: Any, text: str) -> None:
    from dspy.adapters.utils import format_field_value

    field = dspy.Signature("question -> answer").fields["question"]
    assert format_field_value(field, value) == text
    assert format_field_value(field, value, assume_text=False) == {"type": "text", "text": text}
