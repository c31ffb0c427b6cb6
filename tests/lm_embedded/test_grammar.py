"""Grammars: GBNF and JSON schemas as patterns, and the limits that let an answer end."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from telic.lm.embedded.grammar.gbnf import NotReadError, read_gbnf
from telic.lm.embedded.grammar.made import from_gbnf, from_schema
from telic.lm.embedded.grammar.pattern import expression, recursive
from telic.lm.embedded.grammar.schema import TooDeepError


def checked(gbnf: str) -> re.Pattern[str]:
    return expression(read_gbnf(gbnf), "root")


@pytest.mark.parametrize(
    ("gbnf", "yes", "no"),
    [
        ('root ::= " " ("a" | "bc") "\\n"?', [" a", " bc\n"], ["a", " b", " a\n\n"]),
        ("root ::= [^\\r\\n]{2,3}", ["ab", 'x"]'], ["a", "abcd", "a\n"]),
        ('root ::= item (", " item)*  # a list\nitem ::= [a-c\\-x]+\n', ["a, b-", "x"], ["a,b", "d", ""]),
        ('root ::= "say \\"hi\\" \\\\ \\x41\\u00e9"', ['say "hi" \\ Aé'], ["say hi"]),
        ('root ::= ( "a" |\n "b" )\n  "c" {2}', ["acc", "bcc"], ["ac", "accc"]),
        ("root ::= .*", ["", "anything\nat all"], []),
        ('root ::= "" | [\\]\\\\]', ["", "]", "\\"], ["["]),
    ],
)
def test_gbnf_is_read_as_llama_cpp_reads_it(gbnf: str, yes: list[str], no: list[str]):
    check = checked(gbnf)
    assert all(check.fullmatch(text) for text in yes)
    assert not any(check.fullmatch(text) for text in no)


@pytest.mark.parametrize(
    "text", ["", 'root ::= ("a"', "item ::= [a]", "root ::= *", "root ::= <tok>", "what"]
)
def test_what_is_not_gbnf_is_left_to_llama_cpp_to_report(text: str):
    with pytest.raises(NotReadError):
        read_gbnf(text)
    assert from_gbnf(text).text == text
    assert from_gbnf(text).allows("anything", cut=False)


def test_a_recursive_grammar_stays_as_it_is():
    text = 'root ::= "(" root? ")"\n'
    assert recursive(read_gbnf(text))
    assert from_gbnf(text).text == text


def test_a_grammar_is_written_for_the_quick_engine():
    made = from_gbnf('root ::= " " label\nlabel ::= "GetWeather" | "a\\"b" | [^\\n/]{1,4}\n')
    assert made.text == (
        "%llguidance {}\n"
        "start: T0\n"
        'T0: (" " T1)\n'
        'T1: ("GetWeather" | "a\\"b" | (/[^\\x{a}-\\x{a}\\x{2f}-\\x{2f}]/){1,4})\n'
    )


def obj(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }


INTEGER = {"type": "integer"}
TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "yes", "no"),
    [
        (
            obj(a=TEXT),
            ['{"a": ""}', '{"a": "é\\n\\""}'],
            ['{"a": "\n"}', '{"a":""}', '{"a": "\\u12"}'],
        ),
        (obj(a={**TEXT, "minLength": 2, "maxLength": 3}), ['{"a": "xy"}'], ['{"a": "x"}', '{"a": "wxyz"}']),
        (
            obj([], a={"type": "null"}, b={"type": "boolean"}),
            ["{}", '{"b": true}', '{"a": null, "b": false}'],
            ['{"b": true, "a": null}'],
        ),
        (
            obj(["b"], a={"const": 1}, b={"const": 2}, c={"const": 3}),
            ['{"b": 2}', '{"a": 1, "b": 2, "c": 3}'],
            ['{"a": 1}', "{}"],
        ),
        ({"enum": ["a", 1, None, "é"]}, ['"a"', "1", "null", '"é"'], ["a", "2"]),
        ({"type": ["integer", "null"]}, ["-12", "null", "0"], ["00", "1.5", "-0"]),
        ({**INTEGER, "minimum": 1, "maximum": 10}, ["1", "10"], ["0", "11"]),
        ({**INTEGER, "minimum": 0}, ["0", "7000"], ["-1"]),
        ({**INTEGER, "exclusiveMaximum": 0}, ["-5"], ["0", "5"]),
        ({"type": "number", "minimum": 0, "maximum": 1}, ["0", "1", "0.25"], ["1.5", "-0.1", "2"]),
        ({**TEXT, "format": "date"}, ['"2024-02-28"'], ['"2024-02-30"', '"28.2.2024"']),
        ({**TEXT, "pattern": "^\\d{3}-[A-Z]+$"}, ['"123-AB"'], ['"12-AB"']),
        (
            {"type": "array", "items": INTEGER, "minItems": 1, "maxItems": 2},
            ["[1]", "[1, 2]"],
            ["[]", "[1, 2, 3]"],
        ),
        ({"type": "array", "items": INTEGER, "maxItems": 1}, ["[]", "[1]"], ["[1, 2]"]),
        ({"type": "array", "prefixItems": [INTEGER, {"type": "boolean"}]}, ["[1, true]"], ["[1]"]),
        ({"type": "object", "additionalProperties": INTEGER}, ["{}", '{"a": 1, "b": 2}'], ['{"a": "x"}']),
        ({"anyOf": [INTEGER, {**TEXT, "maxLength": 1}]}, ["3", '"x"'], ["true"]),
        ({}, ["1", '"x"', "[1, null]", '{"a": true}'], ["[[1]]", "nothing"]),
        (
            {"$defs": {"P": obj(x=INTEGER)}, "allOf": [{"$ref": "#/$defs/P"}], "description": "d"},
            ['{"x": 1}'],
            ["{}"],
        ),
    ],
)
def test_a_schema_allows_what_is_valid_on_one_line(schema: dict[str, Any], yes: list[str], no: list[str]):
    made = from_schema(schema, 512)
    assert all(made.allows(text, cut=False) and json.loads(text) is not ... for text in yes)
    assert not any(made.allows(text, cut=False) for text in no)
    assert all(made.allows(text[:end], cut=True) for text in yes for end in range(len(text)))
    assert not any(made.allows(text + "?", cut=True) for text in yes)


def test_a_type_inside_itself_ends_where_it_can():
    node = obj(v={"type": "integer"}, next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})
    made = from_schema({"$defs": {"Node": node}, "$ref": "#/$defs/Node"}, 512)
    assert made.allows('{"v": 1, "next": {"v": 2, "next": null}}', cut=False)
    tree = obj(of={"type": "array", "items": {"$ref": "#/$defs/Tree"}})
    made = from_schema({"$defs": {"Tree": tree}, "$ref": "#/$defs/Tree"}, 512)
    assert made.allows('{"of": [{"of": []}]}', cut=False)


def test_a_type_that_cannot_end_is_refused():
    endless = obj(next={"$ref": "#/$defs/E"})
    with pytest.raises(TooDeepError):
        from_schema({"$defs": {"E": endless}, "$ref": "#/$defs/E"}, 512)


def test_limits_follow_the_tokens_there_are_and_leave_given_lengths_alone():
    texts = obj(**{name: {"type": "string"} for name in "abc"})
    wide, narrow = from_schema(texts, 2000), from_schema(texts, 100)
    assert wide.most_tokens is not None
    assert narrow.most_tokens is not None
    assert wide.most_tokens > 5 * narrow.most_tokens
    long = json.dumps({"a": "x" * 90, "b": "", "c": ""})
    assert wide.allows(long, cut=False)
    assert not narrow.allows(long, cut=False)
    given = from_schema(obj(a={"type": "string", "maxLength": 500}), 10)
    assert given.allows(json.dumps({"a": "x" * 500}), cut=False)


def test_a_pattern_that_the_engine_would_not_understand_is_left_to_validation():
    made = from_schema(obj(a={"type": "string", "pattern": "^(?!x)[0-9]+$"}), 512)
    assert "(?!" not in made.text
    assert "&" not in made.text
