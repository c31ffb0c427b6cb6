"""Answers as small models write them: what can be meant in one way is read, the rest is refused, with why."""

from typing import Literal

import pytest

from telic.adapters import ChatAdapter, CompletionAdapter, JSONAdapter, XMLAdapter
from telic.errors import AdapterParseError

from .declared import Color, Person, signature_of

ONE = signature_of({"answer": str})
TWO = signature_of({"reasoning": str, "answer": int})
LABEL = signature_of({"label": Literal["billing", "refund request"]})
PERSON = signature_of({"person": Person})
LIST = signature_of({"items": list[str]})
MIXED = signature_of({"final_answer": str, "color": Color, "sure": bool})
OPTIONAL = signature_of({"answer": str, "note": str | None})
END = "[[ ## completed ## ]]"

CHAT = [
    (ONE, f"[[ ## answer ## ]]\nParis\n\n{END}", {"answer": "Paris"}),
    (ONE, "[[ ## answer ## ]] Paris", {"answer": "Paris"}),
    (ONE, f"[[ ## answer ## ]]\nParis {END}", {"answer": "Paris"}),
    (ONE, f"[[ ## answer ## ]]\nParis\n{END}\n[[ ## question ## ]]\nMore?", {"answer": "Paris"}),
    (ONE, "Sure! Here you go:\n\n[[ ## answer ## ]]\nParis", {"answer": "Paris"}),
    (ONE, "  [[ ## answer ## ]]\nParis", {"answer": "Paris"}),
    (ONE, "**[[ ## answer ## ]]**\nParis", {"answer": "Paris"}),
    (ONE, "[[## Answer ##]]\nParis\n[[## Completed ##]]", {"answer": "Paris"}),
    (ONE, "[[ ## answer ]]\nParis", {"answer": "Paris"}),
    (ONE, "[[ answer ]]\nParis", {"answer": "Paris"}),
    (ONE, "[ ## answer ## ]\nParis", {"answer": "Paris"}),
    (ONE, "## answer ##: Paris", {"answer": "Paris"}),
    (ONE, "`[[ ## answer ## ]]`: Paris", {"answer": "Paris"}),
    (ONE, "Paris", {"answer": "Paris"}),
    (ONE, "\n\nParis is the capital.\n\nOf France.\n", {"answer": "Paris is the capital.\n\nOf France."}),
    (ONE, "[[ ## answer ## ]]\nParis\n[[ ## answer ## ]]\nLyon", {"answer": "Paris"}),
    (ONE, "[[ ## question ## ]]\nWhere?\n[[ ## answer ## ]]\nParis", {"answer": "Paris"}),
    (ONE, "[[ ## answer ## ]]\nUse x[0] and [[1, 2]] # here", {"answer": "Use x[0] and [[1, 2]] # here"}),
    (TWO, "[[ ## reasoning ## ]]\n6*7\n[[ ## answer ## ]]\n42.", {"reasoning": "6*7", "answer": 42}),
    (TWO, "[[ ## reasoning ## ]] so [[ ## answer ## ]] **42**", {"reasoning": "so", "answer": 42}),
    (TWO, "[[## reasoning ##]]\nso\n[[ ## answer ## ]]\n42", {"reasoning": "so", "answer": 42}),
    (TWO, "[[ ## answer ## ]]\n1,234\n[[ ## reasoning ## ]]\nso", {"reasoning": "so", "answer": 1234}),
    (
        TWO,
        "[[ ## thought ## ]]\nhm\n[[ ## reasoning ## ]]\nso\n[[ ## answer ## ]]\n1",
        {"reasoning": "so", "answer": 1},
    ),
    (LABEL, "[[ ## label ## ]]\nRefund Request.", {"label": "refund request"}),
    (LABEL, "'billing'", {"label": "billing"}),
    (LABEL, "billing - the customer was charged twice", {"label": "billing"}),
    (LIST, "[[ ## items ## ]]\n['a', 'b']", {"items": ["a", "b"]}),
    (LIST, '[[ ## items ## ]]\n```json\n["a", "b"]\n```', {"items": ["a", "b"]}),
    (LIST, "[[ ## items ## ]]\n- a\n- b", {"items": ["a", "b"]}),
    (LIST, "[[ ## items ## ]]\n1. a\n2. b\n\n[[ ## completed ## ]]", {"items": ["a", "b"]}),
    (PERSON, "[[ ## person ## ]]\n{name: 'Jo', age: 5,}", {"person": Person(name="Jo", age=5)}),
    (
        MIXED,
        "[[ ## Final Answer ## ]]\nx\n\n[[ ## color ## ]]\nDARK BLUE\n\n[[ ## sure ## ]]\nYes.",
        {"final_answer": "x", "color": Color.BLUE, "sure": True},
    ),
    (OPTIONAL, "[[ ## answer ## ]]\nx\n[[ ## note ## ]]\nNone", {"answer": "x", "note": None}),
    (OPTIONAL, "[[ ## answer ## ]]\nx", {"answer": "x", "note": None}),
]
JSON = [
    (ONE, '{"answer": "Paris"}', {"answer": "Paris"}),
    (ONE, 'Sure, here it is:\n```json\n{"answer": "Paris"}\n```\nAnything else?', {"answer": "Paris"}),
    (ONE, 'The set {1, 2} matters. {"answer": "Paris"}', {"answer": "Paris"}),
    (ONE, '{"Answer": "Paris"}', {"answer": "Paris"}),
    (ONE, '{"answer": "Paris", "confidence": 1}', {"answer": "Paris"}),
    (ONE, '{"output": {"answer": "Paris"}}', {"answer": "Paris"}),
    (ONE, '{"type": "object", "properties": {"answer": "Paris"}}', {"answer": "Paris"}),
    (ONE, '[{"answer": "Paris"}]', {"answer": "Paris"}),
    (ONE, '{"answer": "Paris", "answer": "Lyon"}', {"answer": "Paris"}),
    (ONE, '{"answer": "Paris"} {"answer": "Lyon"}', {"answer": "Paris"}),
    (ONE, '{"answer": "two\nlines"}', {"answer": "two\nlines"}),
    (ONE, '{"answer": "a \\"quoted\\" word"}', {"answer": 'a "quoted" word'}),
    (ONE, '{"answer": "say "hi" now"}', {"answer": 'say "hi" now'}),
    (ONE, "{'answer': 'Paris'}", {"answer": "Paris"}),
    (ONE, '{answer: "Paris"}', {"answer": "Paris"}),
    (ONE, '{"answer": "Paris",}', {"answer": "Paris"}),
    (ONE, '{"answer": "Paris"', {"answer": "Paris"}),
    (ONE, '{"answer": "Paris is the capital of', {"answer": "Paris is the capital of"}),
    (ONE, '{"answer": 5}', {"answer": "5"}),
    (ONE, "Paris", {"answer": "Paris"}),
    (ONE, '"Paris"', {"answer": "Paris"}),
    (TWO, '{"reasoning": "so", "answer": "42"}', {"reasoning": "so", "answer": 42}),
    (TWO, '{"reasoning": "so" "answer": 42}', {"reasoning": "so", "answer": 42}),
    (TWO, '{"reasoning": "so"\n"answer": 42', {"reasoning": "so", "answer": 42}),
    (TWO, '{"answer": 42, "reasoning": "it goes', {"reasoning": "it goes", "answer": 42}),
    (TWO, '{"a": {"reasoning": "no"}} {"reasoning": "so", "answer": 42}', {"reasoning": "so", "answer": 42}),
    (
        MIXED,
        '{"final answer": "x", "color": "RED", "sure": "yes"}',
        {"final_answer": "x", "color": Color.RED, "sure": True},
    ),
    (PERSON, '{"name": "Jo", "age": 5}', {"person": Person(name="Jo", age=5)}),
    (PERSON, '{"person": {"Name": "Jo", "age": "5"}}', {"person": Person(name="Jo", age=5)}),
    (LIST, '["a", "b"]', {"items": ["a", "b"]}),
    (LIST, "- a\n- b", {"items": ["a", "b"]}),
    (LABEL, "Billing", {"label": "billing"}),
    (OPTIONAL, '{"answer": "x"}', {"answer": "x", "note": None}),
    (OPTIONAL, '{"answer": "x", "note": null}', {"answer": "x", "note": None}),
]
XML = [
    (ONE, "<answer>Paris</answer>", {"answer": "Paris"}),
    (ONE, "Sure:\n<answer>\nParis\n</answer>\nBye", {"answer": "Paris"}),
    (ONE, "<Answer>Paris</Answer>", {"answer": "Paris"}),
    (ONE, "<answer>Paris", {"answer": "Paris"}),
    (ONE, '<answer type="city">Paris</answer>', {"answer": "Paris"}),
    (ONE, "<answer>a < b & c &amp; d</answer>", {"answer": "a < b & c & d"}),
    (ONE, "<answer>use <b>bold</b></answer>", {"answer": "use <b>bold</b>"}),
    (ONE, "<answer>one</answer><answer>two</answer>", {"answer": "one"}),
    (ONE, "Paris", {"answer": "Paris"}),
    (
        TWO,
        "<reasoning>the <answer> tag</reasoning><answer>42</answer>",
        {"reasoning": "the <answer> tag", "answer": 42},
    ),
    (TWO, "<reasoning>so\n<answer>42</answer>", {"reasoning": "so", "answer": 42}),
    (
        TWO,
        "<response><reasoning>so</reasoning> <answer>42</answer></response>",
        {"reasoning": "so", "answer": 42},
    ),
    (PERSON, "<person><name>Jo</name><age>5</age></person>", {"person": Person(name="Jo", age=5)}),
    (
        PERSON,
        "<person>\n  <name>\n Jo\n</name>\n  <tags><item>a</item></tags>\n</person>",
        {"person": Person(name="Jo", tags=["a"])},
    ),
    (PERSON, '<person>{"name": "Jo & Co", "age": 5}</person>', {"person": Person(name="Jo & Co", age=5)}),
    (PERSON, "<person><name>Jo & Co</name></person>", {"person": Person(name="Jo & Co")}),
    (LIST, "<items><item>a</item><item>b</item></items>", {"items": ["a", "b"]}),
    (LIST, "<items>\n- a\n- b\n</items>", {"items": ["a", "b"]}),
    (LIST, '<items>["a"]</items>', {"items": ["a"]}),
    (LIST, "<items/>", {"items": []}),
    (OPTIONAL, "<answer>x</answer><note/>", {"answer": "x", "note": None}),
]
PLAIN = [
    (ONE, " Paris", {"answer": "Paris"}),
    (ONE, " Paris\n\nQuestion: And Spain?\nAnswer: Madrid", {"answer": "Paris"}),
    (ONE, "Answer: Paris", {"answer": "Paris"}),
    (ONE, "**Answer:** Paris", {"answer": "Paris"}),
    (ONE, "Here it is:\nAnswer: Paris", {"answer": "Paris"}),
    (ONE, " first line\n  second\n  \n    third", {"answer": "first line\nsecond\n\n  third"}),
    (ONE, " first line\nsecond, not indented", {"answer": "first line\nsecond, not indented"}),
    (LABEL, " billing\nbecause the customer says so", {"label": "billing"}),
    (LABEL, "\nbilling", {"label": "billing"}),
    (LABEL, "The label is clear.\nLabel: refund request", {"label": "refund request"}),
    (LABEL, " billing\nLabel: refund request", {"label": "billing"}),
    (TWO, " six times seven\nAnswer: 42", {"reasoning": "six times seven", "answer": 42}),
    (TWO, " six\nANSWER : 42\nAnswer: 43", {"reasoning": "six", "answer": 42}),
    (TWO, "Reasoning: six\n\nAnswer: 42\n\nQuestion: x", {"reasoning": "six", "answer": 42}),
    (
        MIXED,
        " x\nfinal_answer: no\nColor: red\nsure: no",
        {"final_answer": "x", "color": Color.RED, "sure": False},
    ),
    (PERSON, ' {"name": "Jo", "age": 5}\n\nQuestion: x', {"person": Person(name="Jo", age=5)}),
    (PERSON, ' {\n  "name": "Jo",\n  "age": 5\n}', {"person": Person(name="Jo", age=5)}),
    (LIST, ' ["a", "b"', {"items": ["a", "b"]}),
]
CASES = [
    (adapter, *case)
    for adapter, cases in (
        (ChatAdapter(), CHAT),
        (JSONAdapter(), JSON),
        (XMLAdapter(), XML),
        (CompletionAdapter(), PLAIN),
    )
    for case in cases
]


@pytest.mark.parametrize(
    ("adapter", "signature", "text", "expected"), CASES, ids=[f"{c[0].name}-{c[2][:40]!r}" for c in CASES]
)
def test_read(adapter, signature, text, expected):
    values = adapter.read(signature, text)
    assert values == expected
    assert list(values) == list(signature.output_fields)


REFUSED = [
    (ChatAdapter(), TWO, "just text", {}, ["reasoning", "answer"], "not in the answer"),
    (ChatAdapter(), TWO, "[[ ## reasoning ## ]]\nso", {"reasoning": "so"}, ["answer"], "not in the answer"),
    (
        ChatAdapter(),
        TWO,
        "[[ ## reasoning ## ]]\nso\n[[ ## answer ## ]]\nforty",
        {"reasoning": "so"},
        ["answer"],
        "'forty'",
    ),
    (ChatAdapter(), LABEL, "neither", {}, ["label"], "'billing'"),
    (ChatAdapter(), LABEL, "", {}, ["label"], "not in the answer"),
    (ChatAdapter(), ONE, "   \n", {}, ["answer"], "not in the answer"),
    (ChatAdapter(), LIST, "[[ ## items ## ]]\n", {}, ["items"], "items"),
    (ChatAdapter(), OPTIONAL, "[[ ## note ## ]]\nx", {"note": "x"}, ["answer"], "not in the answer"),
    (JSONAdapter(), TWO, "no object here", {}, ["reasoning", "answer"], "not in the answer"),
    (JSONAdapter(), TWO, '{"reasoning": "so", "answer": nul', {"reasoning": "so"}, ["answer"], "answer"),
    (JSONAdapter(), TWO, '{"reasoning": null, "answer": 1}', {"answer": 1}, ["reasoning"], "null"),
    (JSONAdapter(), TWO, "{" * 5000, {}, ["reasoning", "answer"], "not in the answer"),
    (JSONAdapter(), TWO, '{"a":' * 5000, {}, ["reasoning", "answer"], "not in the answer"),
    (JSONAdapter(), ONE, '{"anser": "typo"}', {}, ["answer"], "not in the answer"),
    (JSONAdapter(), PERSON, '{"person": {"age": 5}}', {}, ["person"], "name"),
    (XMLAdapter(), TWO, "<reasoning>so</reasoning>", {"reasoning": "so"}, ["answer"], "not in the answer"),
    (XMLAdapter(), PERSON, "<person><age>5</age></person>", {}, ["person"], "name"),
    (CompletionAdapter(), TWO, " so it goes", {"reasoning": "so it goes"}, ["answer"], "not in the answer"),
    (CompletionAdapter(), LABEL, " neither", {}, ["label"], "'refund request'"),
]


@pytest.mark.parametrize(
    ("adapter", "signature", "text", "read", "missing", "why"),
    REFUSED,
    ids=[f"{c[0].name}-{c[2][:40]!r}" for c in REFUSED],
)
def test_refused_with_fields_read_missing_and_why(adapter, signature, text, read, missing, why):
    with pytest.raises(AdapterParseError) as caught:
        adapter.read(signature, text)
    error = caught.value
    assert error.parsed_result == read
    assert error.missing == tuple(missing)
    assert error.lm_response == text
    assert error.adapter_name == type(adapter).__name__
    assert why in error.detail
    assert all(name in error.detail for name in missing)
    assert error.detail in str(error)
