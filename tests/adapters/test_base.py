"""Caches, options, subclasses, and errors that are not the model's."""

import copy
import gc
import json
import pickle
import weakref
from typing import Annotated

import pydantic
import pytest

from telic.adapters import Adapter, ChatAdapter, CompletionAdapter, JSONAdapter, XMLAdapter, adapter_by_name
from telic.errors import AdapterError, AdapterParseError
from telic.signatures import make_signature

from .declared import signature_of

ALL = [ChatAdapter(), JSONAdapter(), XMLAdapter(), CompletionAdapter()]


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_what_is_cached_goes_with_the_signature(adapter):
    signature = signature_of({"answer": int, "why": list[str]})
    adapter.render(signature, [], {"question": "?"})
    assert adapter.format_system_message(signature) is adapter.format_system_message(signature)
    gone = weakref.ref(signature)
    del signature
    gc.collect()
    assert gone() is None


def test_static_pieces_are_made_once_per_signature():
    made = []

    class Counting(ChatAdapter):
        def format_task_description(self, signature):
            made.append("task")
            return super().format_task_description(signature)

        def user_message_output_requirements(self, signature):
            made.append("request")
            return super().user_message_output_requirements(signature)

    adapter, signature = Counting(), make_signature("a -> b")
    for _ in range(3):
        adapter.format(signature, [{"a": "1", "b": "2"}], {"a": "3"})
    assert sorted(made) == ["request", "task"]
    adapter.format(signature.with_instructions("Other."), [], {"a": "3"})
    assert len(made) == 4


def test_changed_instructions_are_another_prompt():
    adapter, signature = ChatAdapter(), make_signature("a -> b")
    other = signature.with_instructions("Say it backwards.")
    assert "Say it backwards." in adapter.format_system_message(other)
    assert "Say it backwards." not in adapter.format_system_message(signature)


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_adapters_can_be_copied_pickled_and_made_from_json(adapter):
    signature = make_signature("a -> b")
    expected = adapter.format(signature, [], {"a": "1"})
    row = adapter.to_json()
    assert json.loads(json.dumps(row)) == row
    for twin in (copy.deepcopy(adapter), pickle.loads(pickle.dumps(adapter)), adapter_by_name(**row)):
        assert type(twin) is type(adapter)
        assert twin.format(signature, [], {"a": "1"}) == expected


def test_options_are_saved_where_they_differ_from_the_defaults():
    assert ChatAdapter().to_json() == {"name": "chat"}
    assert JSONAdapter(indent=None, constrain=False).to_json() == {
        "name": "json",
        "indent": None,
        "constrain": False,
    }
    completion = adapter_by_name("completion", multiline=True, max_text=None)
    assert completion.to_json() == {"name": "completion", "multiline": True, "max_text": None}
    assert adapter_by_name(**completion.to_json()).multiline is True
    assert repr(completion) == "CompletionAdapter(multiline=True, max_text=None)"
    assert CompletionAdapter().options == {}


def test_unknown_adapters_and_options():
    with pytest.raises(AdapterError, match=r"no adapter 'yaml'.*chat, json, xml, baml, completion, two_step"):
        adapter_by_name("yaml")
    with pytest.raises(AdapterError, match=r"'chat' does not take these options.*indent"):
        adapter_by_name("chat", indent=3)


def test_a_subclass_need_not_call_the_constructor():
    class Mine(ChatAdapter):
        def __init__(self, greeting):
            self.greeting = greeting

        def format_user_message_content(self, signature, inputs, prefix="", suffix="", main_request=False):
            return self.greeting + super().format_user_message_content(
                signature, inputs, prefix, suffix, main_request
            )

    messages = Mine("Hello! ").render(make_signature("a -> b"), [{"a": "1", "b": "2"}], {"a": "3"}).messages
    assert [message["content"].startswith("Hello! ") for message in messages] == [False, True, False, True]


def test_an_adapter_of_ones_own():
    class Bare(Adapter):
        name = "bare"

        def format(self, signature, demos, inputs):
            return [{"role": "user", "content": f"{signature.instructions} {dict(inputs)}"}]

        def parse(self, signature, completion):
            return self.typed(signature, completion, dict.fromkeys(signature.output_fields, completion))

    adapter, signature = Bare(), make_signature("a -> b: int")
    assert adapter.render(signature, [], {"a": "1"}).messages[0]["role"] == "user"
    assert adapter.read(signature, "5") == {"b": 5}
    with pytest.raises(AdapterParseError):
        adapter.read(signature, "five")
    with pytest.raises(NotImplementedError, match="Bare must define format_field_structure"):
        adapter.format_field_structure(signature)


@pytest.mark.parametrize("adapter", ALL, ids=repr)
@pytest.mark.parametrize("mistake", [KeyError("bug"), TypeError("bug"), AttributeError("bug")], ids=repr)
def test_a_bug_in_a_users_validator_is_not_a_parse_failure(adapter, mistake):
    def check(value):
        raise mistake

    signature = signature_of({"answer": Annotated[list[str], pydantic.AfterValidator(check)]})
    written = adapter.format_assistant_message_content(signature, {"answer": ["x"]})
    with pytest.raises(type(mistake)):
        adapter.read(signature, written)


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_a_validator_that_refuses_is_one(adapter):
    def check(value):
        raise ValueError("must rhyme")

    signature = signature_of({"answer": Annotated[list[str], pydantic.AfterValidator(check)]})
    written = adapter.format_assistant_message_content(signature, {"answer": ["x"]})
    with pytest.raises(AdapterParseError, match="must rhyme"):
        adapter.read(signature, written)


def test_a_bug_in_ones_own_parse_stays_a_bug():
    class Broken(ChatAdapter):
        def parse(self, signature, completion):
            return {"answer": len(None)}

    with pytest.raises(TypeError):
        Broken().read(make_signature("a -> answer"), "x")
