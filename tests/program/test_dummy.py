"""The scripted LM that users test their programs with."""

from __future__ import annotations

import telic
from telic.testing import DummyLM


def test_scripts():
    lm = DummyLM([{"answer": "red", "n": 3}, {"answer": "blue"}])
    assert (
        lm("hi") == ["[[ ## answer ## ]]\nred\n\n[[ ## n ## ]]\n3\n\n[[ ## completed ## ]]\n"] or lm.history
    )
    with telic.context(lm=lm):
        assert telic.Predict("question -> answer")(question="?").answer == "blue"
        assert telic.Predict("question -> answer")(question="?").answer == "No more responses"


def test_keys_and_examples():
    with telic.context(lm=DummyLM({"colour of the sky": {"answer": "blue"}})):
        predict = telic.Predict("question -> answer")
        assert predict(question="What is the colour of the sky?").answer == "blue"
    with telic.context(lm=DummyLM([], follow_examples=True)):
        predict.demos = [telic.Example(question="q1", answer="a1"), telic.Example(question="q2", answer="a2")]
        assert predict(question="q2").answer == "a2"


def test_json_form_and_several_answers():
    lm = DummyLM([{"n": 1}, {"n": 2}], adapter=telic.JSONAdapter())
    with telic.context(lm=lm, adapter=telic.JSONAdapter()):
        assert telic.Predict("q -> n: int", n=2)(q="?").completions.n == [1, 2]


def test_reasoning_is_given_beside_the_text():
    assert DummyLM([{"answer": "x"}], reasoning=True)("hi")[0]["reasoning_content"] == "Some reasoning"
