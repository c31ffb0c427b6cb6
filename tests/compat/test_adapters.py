"""What adapters send and read, in DSPy's terms: roles, markers, order, demos, histories, types."""

from __future__ import annotations

import enum
import json
from typing import Any, Literal, Optional

import pydantic
import pytest

from tests.compat.scripts import chat, dummy, markers, section, sent, served
from tests.compat.target import dspy

QA = dspy.Signature("question, hint -> reasoning, answer", "Answer the question.")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Person(pydantic.BaseModel):
    name: str
    age: int


class Card(dspy.Signature):
    """Fill in the card."""

    text: str = dspy.InputField()
    who: Person = dspy.OutputField()
    tags: list[str] = dspy.OutputField()
    mood: Literal["good", "bad"] = dspy.OutputField()


def adapters() -> list[Any]:
    return [dspy.ChatAdapter(), dspy.JSONAdapter(), dspy.XMLAdapter()]


NAMES = ["chat", "json", "xml"]
each_adapter = pytest.mark.parametrize("adapter", adapters(), ids=NAMES)


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


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


# The chat form.


def test_chat_inputs_stand_under_markers_in_order() -> None:
    user = dspy.ChatAdapter().format(QA, [], {"hint": "H", "question": "Q"})[-1]["content"]
    assert markers(user) == ["question", "hint", "reasoning", "answer", "completed"]
    assert section(user, "question") == "Q"


def test_chat_the_layout_is_in_the_system_message() -> None:
    system = dspy.ChatAdapter().format(QA, [], {"question": "Q", "hint": "H"})[0]["content"]
    assert markers(system) == ["question", "hint", "reasoning", "answer", "completed"]
    for name in ("question", "hint", "reasoning", "answer"):
        assert section(system, name).startswith(f"{{{name}}}")


def test_chat_an_answer_ends_with_completed() -> None:
    text = dspy.ChatAdapter().format_assistant_message_content(QA, {"reasoning": "r", "answer": "a"})
    assert markers(text) == ["reasoning", "answer", "completed"]
    assert text.rstrip().endswith("[[ ## completed ## ]]")


def test_chat_field_with_value() -> None:
    from tests.compat.target import REAL

    if REAL:
        from dspy.adapters.chat_adapter import FieldInfoWithName
    else:
        FieldInfoWithName = dspy.adapters.chat_adapter.FieldInfoWithName
    fields = {FieldInfoWithName(name=n, info=QA.fields[n]): n.upper() for n in ("question", "hint")}
    text = dspy.ChatAdapter().format_field_with_value(fields)
    assert markers(text) == ["question", "hint"]
    assert section(text, "hint") == "HINT"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (5, "5"),
        (2.5, "2.5"),
        (True, "True"),
        (None, "None"),
        ({"a": 1}, '{"a": 1}'),
        (Person(name="Ada", age=36), '{"name": "Ada", "age": 36}'),
    ],
)
def test_chat_values_of_inputs(value: Any, shown: str) -> None:
    signature = dspy.make_signature({"given": (type(value) if value is not None else str, dspy.InputField()),
                                     "wanted": (str, dspy.OutputField())})  # fmt: skip
    text = dspy.ChatAdapter().format_user_message_content(signature, {"given": value})
    assert section(text, "given") == shown or json.loads(section(text, "given")) == json.loads(shown)


def test_chat_a_list_in_a_text_field_is_numbered() -> None:
    signature = dspy.Signature("context -> answer")
    text = dspy.ChatAdapter().format_user_message_content(signature, {"context": ["first one", "second one"]})
    assert section(text, "context") == "[1] «first one»\n[2] «second one»"


def test_chat_a_list_in_a_list_field_is_json() -> None:
    signature = dspy.Signature("context: list[str] -> answer")
    text = dspy.ChatAdapter().format_user_message_content(signature, {"context": ["first", "second"]})
    assert json.loads(section(text, "context")) == ["first", "second"]


def test_chat_a_literal_names_its_choices() -> None:
    system = dspy.ChatAdapter().format(Card, [], {"text": "t"})[0]["content"]
    assert "good; bad" in section(system, "mood")


def test_chat_a_model_is_shown_by_its_schema() -> None:
    system = dspy.ChatAdapter().format(Card, [], {"text": "t"})[0]["content"]
    about = section(system, "who")
    assert '"age"' in about
    assert '"integer"' in about


def test_chat_an_enum_names_its_values() -> None:
    signature = dspy.make_signature({"a": (str, dspy.InputField()), "b": (Colour, dspy.OutputField())})
    assert "red; blue" in section(dspy.ChatAdapter().format(signature, [], {"a": "x"})[0]["content"], "b")


def test_descriptions_are_in_the_system_message() -> None:
    class Told(dspy.Signature):
        a: str = dspy.InputField(desc="about the first")
        b: str = dspy.OutputField(desc="about the second")

    for adapter in adapters():
        system = text_of(adapter.format(Told, [], {"a": "x"})[0])
        assert "about the first" in system
        assert "about the second" in system


def test_constraints_are_in_the_system_message() -> None:
    class Held(dspy.Signature):
        a: str = dspy.InputField()
        b: int = dspy.OutputField(ge=17, le=42)

    system = dspy.ChatAdapter().format(Held, [], {"a": "x"})[0]["content"]
    assert "17" in system
    assert "42" in system


# Reading the chat form.

READ = [
    ("[[ ## answer ## ]]\nblue\n\n[[ ## completed ## ]]", "blue"),
    ("[[ ## answer ## ]]\nblue", "blue"),
    ("Let me see.\n\n[[ ## answer ## ]]\nblue\n\n[[ ## completed ## ]]", "blue"),
    ("[[ ## answer ## ]]\ntwo\nlines\n\n[[ ## completed ## ]]", "two\nlines"),
    ("[[ ## other ## ]]\nx\n\n[[ ## answer ## ]]\nblue\n\n[[ ## completed ## ]]", "blue"),
    ("[[ ## answer ## ]]\nfirst\n\n[[ ## answer ## ]]\nsecond\n\n[[ ## completed ## ]]", "first"),
    ("[[ ## answer ## ]]\n\n[[ ## completed ## ]]", ""),
]


@pytest.mark.parametrize(("completion", "value"), READ, ids=range(len(READ)))
def test_chat_answers_are_read(completion: str, value: str) -> None:
    assert dspy.ChatAdapter().parse(dspy.Signature("question -> answer"), completion) == {"answer": value}


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (int, "12", 12),
        (float, "1.5", 1.5),
        (bool, "True", True),
        (bool, "false", False),
        (list[int], "[1, 2]", [1, 2]),
        (list[str], "['a', 'b']", ["a", "b"]),
        (dict[str, Any], '{"a": [1]}', {"a": [1]}),
        (Optional[int], "None", None),
        (Optional[str], "text", "text"),
        (Literal["a", "b"], "b", "b"),
        (Literal["a", "b"], '"b"', "b"),
        (Colour, "blue", Colour.BLUE),
        (Colour, "BLUE", Colour.BLUE),
        (Person, '{"name": "Ada", "age": 36}', Person(name="Ada", age=36)),
        (list[Person], '[{"name": "Ada", "age": 36}]', [Person(name="Ada", age=36)]),
    ],
    ids=str,
)
def test_chat_typed_answers_are_read(kind: Any, written: str, value: Any) -> None:
    signature = dspy.make_signature({"q": (str, dspy.InputField()), "out": (kind, dspy.OutputField())})
    completion = f"[[ ## out ## ]]\n{written}\n\n[[ ## completed ## ]]"
    assert dspy.ChatAdapter().parse(signature, completion)["out"] == value


@pytest.mark.parametrize(
    "completion",
    [
        "[[ ## reasoning ## ]]\nonly this\n\n[[ ## completed ## ]]",
        "nothing at all",
        "",
    ],
)
def test_chat_missing_fields_are_an_error(completion: str) -> None:
    with pytest.raises(dspy.AdapterParseError) as caught:
        dspy.ChatAdapter().parse(QA, completion)
    assert caught.value.adapter_name == "ChatAdapter"
    assert caught.value.lm_response == completion


@pytest.mark.parametrize(("kind", "written"), [(int, "many"), (Literal["a", "b"], "c"), (list[int], "none"),
                                               (Person, "{}")], ids=str)  # fmt: skip
def test_chat_values_that_do_not_fit_are_an_error(kind: Any, written: str) -> None:
    signature = dspy.make_signature({"q": (str, dspy.InputField()), "out": (kind, dspy.OutputField())})
    with pytest.raises(dspy.AdapterParseError):
        dspy.ChatAdapter().parse(signature, f"[[ ## out ## ]]\n{written}\n\n[[ ## completed ## ]]")


# The JSON form.


def test_json_inputs_stand_under_markers() -> None:
    user = dspy.JSONAdapter().format(QA, [], {"question": "Q", "hint": "H"})[-1]["content"]
    assert markers(user)[:2] == ["question", "hint"]


def test_json_an_answer_is_an_object() -> None:
    text = dspy.JSONAdapter().format_assistant_message_content(Card, {"who": Person(name="A", age=1), "tags": ["t"],
                                                                      "mood": "bad"})  # fmt: skip
    assert json.loads(text) == {"who": {"name": "A", "age": 1}, "tags": ["t"], "mood": "bad"}


def test_json_keys_keep_the_order_of_the_fields() -> None:
    text = dspy.JSONAdapter().format_assistant_message_content(QA, {"answer": "a", "reasoning": "r"})
    assert list(json.loads(text)) == ["reasoning", "answer"]


@pytest.mark.parametrize(
    "completion",
    [
        '{"reasoning": "r", "answer": "a"}',
        '```json\n{"reasoning": "r", "answer": "a"}\n```',
        'Here it is: {"reasoning": "r", "answer": "a"} Done.',
        "{'reasoning': 'r', 'answer': 'a'}",
        '{"reasoning": "r", "answer": "a",}',
        '{"answer": "a", "reasoning": "r", "more": 1}',
    ],
)
def test_json_answers_are_read(completion: str) -> None:
    assert dspy.JSONAdapter().parse(QA, completion) == {"reasoning": "r", "answer": "a"}


@pytest.mark.parametrize("completion", ["nothing", '{"answer": "a"}', "[1, 2]", ""])
def test_json_missing_fields_are_an_error(completion: str) -> None:
    with pytest.raises(dspy.AdapterParseError):
        dspy.JSONAdapter().parse(QA, completion)


def test_json_values_have_their_types() -> None:
    completion = '{"who": {"name": "Ada", "age": "36"}, "tags": ["x"], "mood": "good"}'
    assert dspy.JSONAdapter().parse(Card, completion)["who"] == Person(name="Ada", age=36)


def test_json_nested_json_text_is_read() -> None:
    signature = dspy.make_signature({"q": (str, dspy.InputField()), "xs": (list[int], dspy.OutputField())})
    assert dspy.JSONAdapter().parse(signature, '{"xs": "[1, 2]"}') == {"xs": [1, 2]}


def test_json_a_schema_goes_with_the_request() -> None:
    with served('{"who": {"name": "A", "age": 1}, "tags": [], "mood": "good"}', model="openai/gpt-4o") as (
        server,
        _,
    ):
        with dspy.context(adapter=dspy.JSONAdapter()):
            dspy.Predict(Card)(text="t")
    wanted = server.bodies[0]["response_format"]
    assert wanted["type"] == "json_schema"
    assert list(wanted["json_schema"]["schema"]["properties"]) == ["who", "tags", "mood"]


def test_json_fields_with_free_keys_ask_for_an_object() -> None:
    signature = dspy.make_signature(
        {"q": (str, dspy.InputField()), "d": (dict[str, Any], dspy.OutputField())}
    )
    with served('{"d": {"a": 1}}', model="openai/gpt-4o") as (server, _):
        with dspy.context(adapter=dspy.JSONAdapter()):
            assert dspy.Predict(signature)(q="t").d == {"a": 1}
    assert server.bodies[0]["response_format"]["type"] in ("json_object", "json_schema")


# The XML form.


def test_xml_inputs_and_answers_are_elements() -> None:
    adapter = dspy.XMLAdapter()
    user = adapter.format(QA, [], {"question": "Q", "hint": "H"})[-1]["content"]
    assert "<question>\nQ\n</question>" in user
    text = adapter.format_assistant_message_content(QA, {"reasoning": "r", "answer": "a"})
    assert "<reasoning>\nr\n</reasoning>" in text
    assert text.index("<reasoning>") < text.index("<answer>")


@pytest.mark.parametrize(
    "completion",
    [
        "<reasoning>r</reasoning><answer>a</answer>",
        "<reasoning>\nr\n</reasoning>\n\n<answer>\na\n</answer>",
        "So:\n<reasoning>r</reasoning>\ntext\n<answer>a</answer>",
    ],
)
def test_xml_answers_are_read(completion: str) -> None:
    assert dspy.XMLAdapter().parse(QA, completion) == {"reasoning": "r", "answer": "a"}


def test_xml_missing_fields_are_an_error() -> None:
    with pytest.raises(dspy.AdapterParseError):
        dspy.XMLAdapter().parse(QA, "<answer>a</answer>")


def test_xml_typed_answers() -> None:
    completion = '<who>{"name": "Ada", "age": 36}</who><tags>["x"]</tags><mood>good</mood>'
    assert dspy.XMLAdapter().parse(Card, completion) == {
        "who": Person(name="Ada", age=36), "tags": ["x"], "mood": "good",
    }  # fmt: skip


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
