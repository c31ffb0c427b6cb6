"""Readers of fields: however an answer is cut, a field's chunks add up to what the adapter reads."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from telic.adapters import Adapter, ChatAdapter, CompletionAdapter, JSONAdapter, XMLAdapter
from telic.errors import AdapterParseError
from telic.signatures import make_signature
from telic.streaming.fields.base import FieldReader
from telic.streaming.fields.chat import ChatReader
from telic.streaming.fields.choose import reader_for
from telic.streaming.fields.json_object import JsonReader
from telic.streaming.fields.xml_elements import XmlReader

ADAPTERS = [ChatAdapter(), JSONAdapter(), JSONAdapter(indent=None), XMLAdapter(), CompletionAdapter()]
SIGNATURE = make_signature("question -> reasoning, answer, items: list[str], count: int")
AWKWARD = [
    *("[", "]", "#", " ", "\n", "\\", '"', "{", "}", ",", ":", "<", ">", "&", "/", "a", "é", "😀", "\t"),
    *("[[ ## ", " ## ]]", "[[ ## answer ## ]]", "</answer>", "<answer>", "&lt;", '",', '"}', "answer:", "  "),
]
TEXTS = st.lists(st.sampled_from(AWKWARD), max_size=12).map("".join)


def follow(reader: FieldReader, pieces: list[str]) -> dict[str, str]:
    """The text of each field; fails where one goes on after its end, or never ends."""
    texts: dict[str, str] = {}
    ended: set[str] = set()
    for step in [*pieces, None]:
        for piece in reader.end() if step is None else reader.feed(step):
            assert piece.field not in ended, f"{piece.field} goes on after its end"
            texts[piece.field] = texts.get(piece.field, "") + piece.text
            if piece.last:
                ended.add(piece.field)
    assert ended == set(texts)
    return texts


def cut(text: str, places: list[int]) -> list[str]:
    at = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[a:b] for a, b in pairwise(at)]


def written(adapter: Adapter, values: dict[str, Any]) -> str:
    text = adapter.format_assistant_message_content(SIGNATURE, values)
    # The prompt of the completion adapter ends with the first label.
    return text.removeprefix("Reasoning:") if isinstance(adapter, CompletionAdapter) else text


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_text_field_is_what_the_adapter_reads_however_it_is_cut(adapter: Adapter, data: Any) -> None:
    values = {
        "reasoning": data.draw(TEXTS),
        "answer": data.draw(TEXTS),
        "items": data.draw(st.lists(TEXTS, max_size=3)),
        "count": data.draw(st.integers()),
    }
    text = written(adapter, values)
    whole = follow(reader_for(adapter, SIGNATURE), [text])
    assert follow(reader_for(adapter, SIGNATURE), list(text)) == whole
    assert follow(reader_for(adapter, SIGNATURE), cut(text, data.draw(st.lists(st.integers(0))))) == whole
    try:
        read = adapter.read(SIGNATURE, text)
    except AdapterParseError:
        return  # a value that looks like another field: what the adapter cannot tell, nobody can
    if read == {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}:
        assert {name: whole.get(name, "") for name in ("reasoning", "answer")} == {
            name: read[name] for name in ("reasoning", "answer")
        } or isinstance(adapter, (CompletionAdapter, XMLAdapter))


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
def test_plain_answers_are_read_alike(adapter: Adapter) -> None:
    values = {
        "reasoning": 'I think [[ so ]] & <b> "quoted"\n\n  [[ ## x yes\nmore [ text é😀 \\ end',
        "answer": "The\nreasoning\n  indented &amp; ok",
        "items": ["a, b", '}"]', "<i>"],
        "count": 42,
    }
    text = written(adapter, values)
    assert adapter.read(SIGNATURE, text) == values
    texts = follow(reader_for(adapter, SIGNATURE), list(text))
    assert texts["reasoning"] == values["reasoning"]
    assert texts["answer"] == values["answer"]
    assert texts["count"] == "42"


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
def test_text_is_given_as_soon_as_it_cannot_be_anything_else(adapter: Adapter) -> None:
    values = {"reasoning": "one two three", "answer": "x", "items": [], "count": 1}
    text = written(adapter, values)
    reader = reader_for(adapter, SIGNATURE)
    seen = ""
    for number, character in enumerate(text, 1):
        seen += "".join(piece.text for piece in reader.feed(character) if piece.field == "reasoning")
        if text[:number].endswith("one two t"):
            assert seen == "one two t"
            return
    raise AssertionError("the text was not there")


class TestChat:
    def test_a_field_that_is_not_asked_for_is_passed_over(self) -> None:
        text = "[[ ## note ## ]]\nno\n\n[[ ## answer ## ]]\nyes\n[[ ## other ## ]]\nno"
        assert follow(ChatReader(["answer"]), list(text)) == {"answer": "yes"}

    def test_the_first_of_two_counts(self) -> None:
        text = "[[ ## answer ## ]]\none\n[[ ## answer ## ]]\ntwo"
        assert follow(ChatReader(["answer"]), list(text)) == {"answer": "one"}

    def test_a_marker_within_a_line_is_text_but_the_end_marker_is_not(self) -> None:
        text = "[[ ## answer ## ]] a [[ ## b ## ]] c [[ ## completed ## ]] rest"
        assert follow(ChatReader(["answer", "b"]), list(text)) == {"answer": "a [[ ## b ## ]] c"}

    def test_talk_before_the_first_marker_is_not_a_field(self) -> None:
        assert follow(ChatReader(["answer"]), list("Sure!\n\n[[ ## answer ## ]]\n4")) == {"answer": "4"}
        assert follow(ChatReader(["answer"]), list("no marker at all")) == {}

    def test_an_answer_that_is_cut_ends_with_what_was_held_back(self) -> None:
        reader = ChatReader(["answer"])
        reader.feed("[[ ## answer ## ]]\nyes [[ ## comp")
        assert [(p.text, p.last) for p in reader.end()] == [(" [[ ## comp", True)]


class TestJson:
    def test_escapes_that_are_cut_anywhere(self) -> None:
        text = r'{"answer": "a\"b\\c\nd\u00e9\ud83d\ude00\/", "n": null}'
        assert follow(JsonReader(["answer"]), list(text)) == {"answer": 'a"b\\c\ndé😀/'}

    def test_half_a_pair_of_surrogates_is_kept(self) -> None:
        assert follow(JsonReader(["a"]), list(r'{"a": "x\ud83dy"}')) == {"a": "x\ud83dy"}

    def test_other_values_are_their_text(self) -> None:
        text = '{"a": [1, {"b": "],}"}, "\\""] , "n":-4.5e3,"t": true }'
        expected = {"a": '[1, {"b": "],}"}, "\\""]', "n": "-4.5e3", "t": "true"}
        assert follow(JsonReader(["a", "n", "t"]), list(text)) == expected

    def test_prose_fences_and_keys_that_are_almost_right(self) -> None:
        text = 'Here {it} is:\n```json\n{\n  "The Answer" : "4",\n  "Note": "x"\n}\n```\n{"the_answer": "5"}'
        assert follow(JsonReader(["the_answer", "note"]), list(text)) == {"the_answer": "4", "note": "x"}

    def test_a_quote_that_was_not_escaped(self) -> None:
        assert follow(JsonReader(["a"]), list('{"a": "so "called" ends"}')) == {"a": 'so "called" ends'}

    def test_nested_keys_are_not_fields(self) -> None:
        assert follow(JsonReader(["a"]), list('{"b": {"a": 1}, "a": "2"}')) == {"a": "2"}

    def test_what_is_cut_off_ends(self) -> None:
        assert follow(JsonReader(["a"]), list('{"a": "so far \\')) == {"a": "so far "}
        assert follow(JsonReader(["a"]), list('{"a": [1, 2')) == {"a": "[1, 2"}


class TestXml:
    def test_tags_in_any_case_and_inner_tags(self) -> None:
        text = "<Answer>\na <b>bold</b> 1 < 2 &amp; <answer>in</answer> it\n</ANSWER>"
        expected = "a <b>bold</b> 1 < 2 & <answer>in</answer> it"
        assert follow(XmlReader(["answer"]), list(text)) == {"answer": expected}

    def test_a_missing_end_tag(self) -> None:
        text = "<reasoning>\nbecause\n<answer>\n4\n</answer>"
        texts = follow(XmlReader(["reasoning", "answer"]), list(text))
        assert texts == {"reasoning": "because", "answer": "4"}

    def test_nested_elements_stay_as_they_are(self) -> None:
        text = "<items><item>a &amp; b</item></items>"
        assert follow(XmlReader(["items"], ["items"]), list(text)) == {"items": "<item>a &amp; b</item>"}

    def test_an_empty_element(self) -> None:
        assert follow(XmlReader(["a", "b"]), list("<a/><b>x</b>")) == {"a": "", "b": "x"}


class TestLabels:
    SIGNATURE = make_signature("question -> reasoning, verdict: bool, answer")

    def read(self, text: str, *, chat: bool = False) -> dict[str, str]:
        adapter = CompletionAdapter()
        rendered = adapter.render(self.SIGNATURE, [], {"question": "q"}) if chat else None
        return follow(reader_for(adapter, self.SIGNATURE, rendered), list(text))

    def test_lines_in_order(self) -> None:
        text = " because\n  of this\nVerdict: true\nAnswer: four\n\nQuestion: another\nAnswer: no"
        assert self.read(text) == {"reasoning": "because\nof this", "verdict": "true", "answer": "four"}

    def test_ornament_and_case(self) -> None:
        texts = self.read(" x\n**verdict:** no\n- ANSWER : y")
        assert texts == {"reasoning": "x", "verdict": "no", "answer": "y"}

    def test_a_label_that_is_said_again(self) -> None:
        assert self.read("Reasoning: x\nAnswer: y") == {"reasoning": "x", "answer": "y"}

    def test_talk_before_a_label_in_a_chat(self) -> None:
        texts = self.read("Here you are:\nReasoning: x\nAnswer: y", chat=True)
        assert texts == {"reasoning": "x", "answer": "y"}

    def test_one_line_values_end_with_the_line(self) -> None:
        assert self.read(" x\nVerdict: yes\nand so on\nAnswer: y")["verdict"] == "yes"


def test_an_adapter_that_reads_in_its_own_way_is_not_followed_as_its_base() -> None:
    class Own(ChatAdapter):
        def parse(self, signature: Any, completion: str) -> dict[str, Any]:
            return {}

    class Told(Own):
        def field_reader(self, signature: Any) -> FieldReader:
            return JsonReader(list(signature.output_fields))

    class Reworded(ChatAdapter):
        def format_task_description(self, signature: Any) -> str:
            return "Do it."

    assert reader_for(Own(), SIGNATURE) is None
    assert isinstance(reader_for(Told(), SIGNATURE), JsonReader)
    assert isinstance(reader_for(Reworded(), SIGNATURE), ChatReader)
