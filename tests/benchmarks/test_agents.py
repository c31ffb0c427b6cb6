"""Agents on public data, driven by a model that does as it is told: everything must be right then."""

from __future__ import annotations

from itertools import islice

import pytest

import telic
from benchmarks.agents import bfcl, game24
from benchmarks.agents.functions import gold_calls, json_schema, right, spoken, tools_of
from benchmarks.agents.scripted import WAYS, Call, Calls, Minds, Outputs
from telic.datasets import folder
from telic.datasets.catalogue import info
from telic.errors import InputError


def needs(name):
    there = folder.data_folder() is not None and folder.split_file(info(name), "test") is not None
    return pytest.mark.skipif(not there, reason="the data folder is not here (TELIC_DATA)")


every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


# Functions to call


def row(*wanted, required=("n",), **properties):
    described = {"n": {"type": "integer"}, "who": {"type": "string"}, **properties}
    parameters = {"type": "dict", "properties": described, "required": list(required)}
    function = {"name": "a.b", "description": "Does it.", "parameters": parameters}
    return {"functions": [function], "ground_truth": list(wanted)}


ONE = row({"a.b": {"n": [3, 4], "who": ["", "Ada King"]}})


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([Call("a.b", {"n": 3})], True),
        ([Call("a.b", {"n": 4})], True),
        ([Call("a.b", {"n": 3.0})], True),
        ([Call("a.b", {"n": 3, "who": "ada-king"})], True),
        ([Call("a.b", {"n": 5})], False),
        ([Call("a.b", {"n": "3"})], False),
        ([Call("a.b", {"n": True})], False),
        ([Call("a.b", {"n": 3, "who": "Ada"})], False),
        ([Call("a.b", {"n": 3, "what": 1})], False),
        ([Call("a.b", {"who": "Ada King"})], False),
        ([Call("a.c", {"n": 3})], False),
        ([Call("a.b", {"n": 3}), Call("a.b", {"n": 3})], False),
        ([], False),
    ],
)
def test_a_call_is_right_within_the_accepted_alternatives(made, expected):
    assert right(ONE, made) is expected


def test_several_calls_are_right_in_any_order_each_once():
    two = row({"a.b": {"n": [1, 2]}}, {"a.b": {"n": [1]}})
    one, other = Call("a.b", {"n": 1}), Call("a.b", {"n": 2})
    assert right(two, [one, other])
    assert right(two, [other, one])  # the first accepts both, so it must leave `one` to the second
    assert not right(two, [other, other])
    assert not right(two, [one])


def test_where_no_function_fits_every_call_is_wrong():
    assert right(row(), [])
    assert not right(row(), [Call("a.b", {"n": 1})])


def test_nested_values_are_compared_by_their_own_alternatives():
    nested = row({"a.b": {"n": [{"x": [1, 2], "y": ["", "z"]}], "who": [["a", "B"]]}})
    assert right(nested, [Call("a.b", {"n": {"x": 2}, "who": ["A", "b"]})])
    assert not right(nested, [Call("a.b", {"n": {"x": 3}, "who": ["A", "b"]})])
    assert not right(nested, [Call("a.b", {"n": {"y": "z"}, "who": ["A", "b"]})])
    assert not right(nested, [Call("a.b", {"n": {"x": 2}, "who": ["b", "A"]})])


def test_no_accepted_value_means_the_empty_list():
    empty = row({"a.b": {"n": [1], "who": []}}, required=("n", "who"))
    assert gold_calls(empty) == [Call("a.b", {"n": 1, "who": []})]
    assert right(empty, gold_calls(empty))
    assert not right(empty, [Call("a.b", {"n": 1, "who": "x"})])


def test_types_of_the_data_set_become_those_of_json():
    inner = {"type": "dict", "properties": {"x": {"type": "float", "optional": True}}, "required": ["x"]}
    described = {"type": "dict", "properties": {"a": {"type": "tuple", "items": inner}, "b": {"type": "any"}}}
    assert json_schema(described) == {
        "type": "object",
        "properties": {
            "a": {
                "type": "array",
                "items": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
            },
            "b": {},
        },
    }


def test_a_tool_is_made_of_a_schema_and_tells_what_reached_it():
    made = []
    (tool,) = tools_of(ONE["functions"], made)
    assert tool.name == spoken("a.b") == "a_b"
    assert tool.format_as_litellm_function_call()["function"]["parameters"]["required"] == ["n"]
    assert tool(n="3", who="x") == "Done."
    assert made == [Call("a.b", {"n": 3, "who": "x"})]
    for wrong in ({"n": "three"}, {"who": "x"}, {"n": 1, "what": 2}):
        with pytest.raises(InputError):
            tool(**wrong)
    assert len(made) == 1


@needs("bfcl_single_turn")
@every_way
def test_all_of_fifty_questions_are_answered_by_the_gold_calls(way):
    given = bfcl.rows(50)
    assert {r.category for r in given} == {
        "simple_python", "live_simple", "multiple", "parallel", "irrelevance"
    }  # fmt: skip
    assert bfcl.scripted(way, given) == [True] * 50


@needs("bfcl_single_turn")
def test_a_call_too_many_a_call_too_few_and_another_function_are_wrong():
    for one in bfcl.rows(50):
        gold = gold_calls(one)
        assert right(one, gold)
        assert not right(one, [*gold, Call(one.functions[0]["name"], {})])
        assert not gold or not right(one, gold[1:])
        assert not gold or not right(one, [Call("other", gold[0].args), *gold[1:]])


@needs("bfcl_single_turn")
@every_way
def test_a_wrong_call_of_an_agent_is_found_out(way):
    one = next(r for r in bfcl.rows(50) if r.category == "simple_python")
    made = []

    def mind():
        (gold,) = gold_calls(one)
        yield Calls([Call(spoken(gold.name), {}), Call("no_such_function", gold.args)])
        yield Outputs({"answer": "Done."})

    with Minds(way) as minds, telic.context(lm=minds.lm(mind()), adapter=way.adapter, max_repairs=0):
        if way.agent is telic.ReAct:  # a tool that there is not cannot be named in its protocol
            one.functions.append({**one.functions[0], "name": "no_such_function"})
        way.agent(bfcl.SIGNATURE, tools=tools_of(one.functions, made))(question=one.question)
    assert not right(one, made)


# Make 24


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(1 + 3) * 4 + 8", True),
        ("8 + 4 * (3 + 1) = 24", True),
        ("(1 + 3) * (4 + 2)", False),
        ("4 * 8 - 3 * 1 - 5", False),
        ("8 * 3 * 1", False),
        ("8 * 3 * 1 * 4", False),
        ("8 * 3 * (4 - 1 - 1 - 1)", False),
        ("83 - 41", False),
        ("24", False),
        ("(1 + 3", False),
        ("8 / (3 - 3)", False),
        ("__import__('os')", False),
        ("None", False),
        (None, False),
    ],
)
def test_a_solution_uses_each_number_once_and_is_24(expression, expected):
    assert game24.solves([1, 3, 4, 8], expression) is expected


def test_a_solution_is_exact():
    assert game24.solves([3, 3, 8, 8], "8 / (3 - 8 / 3)")
    assert not game24.solves([2, 4, 10, 10], "24.0000000001")


def test_attempts_begin_with_a_guess_and_reach_24_where_it_can_be_reached():
    found = list(islice(game24.attempts([3, 3, 8, 8]), 2))
    assert found[0] == "3 + 3 + 8 + 8"
    assert game24.solves([3, 3, 8, 8], found[1])
    assert list(game24.attempts([1, 1, 1, 1])) == ["1 + 1 + 1 + 1"]


@needs("game24")
def test_every_game_has_a_solution():
    for one in game24.rows(200):
        assert any(game24.solves(one.numbers, found) for found in game24.attempts(one.numbers))


@needs("game24")
@every_way
def test_games_are_won_by_reading_the_calculator(way):
    given = game24.rows(10)
    assert game24.scripted(way, given) == [True] * 10


@every_way
def test_a_game_that_cannot_be_won_is_lost(way):
    given = [telic.Example(numbers=[1, 1, 1, 1]).with_inputs("numbers")]
    assert game24.scripted(way, given) == [False]
