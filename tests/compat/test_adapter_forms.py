"""The forms of adapters in DSPy's terms: chat, JSON and XML; what is written and what is read."""

from __future__ import annotations

import enum
import json
from typing import Any, Literal, Optional

import pytest

from tests.compat.cards import QA, Card, Person, adapters, text_of
from tests.compat.scripts import markers, section, served
from tests.compat.target import dspy


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


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
