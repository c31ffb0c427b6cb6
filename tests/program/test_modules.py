"""Ready-made modules."""

from __future__ import annotations

import telic
from tests.scripted import ScriptedLM, chat


def test_chain_of_thought_reasons_first():
    lm = ScriptedLM([chat(reasoning="since", answer="4")] * 2)
    with telic.context(lm=lm):
        prediction = telic.ChainOfThought("question -> answer: int")(question="2+2?")
    assert list(prediction.keys()) == ["reasoning", "answer"]
    assert prediction.answer == 4


def test_the_rationale_can_be_another_type_or_there_already():
    thoughts = telic.ChainOfThought("q -> a", rationale_field_type=list[str])
    assert thoughts.predict.signature.output_fields["reasoning"].annotation == list[str]
    own = telic.ChainOfThought("q -> reasoning, a")
    assert list(own.predict.signature.output_fields) == ["reasoning", "a"]


def test_parallel_runs_pairs_in_order():
    lm = ScriptedLM(lambda text: chat(a=text.strip().split("\n")[1]))
    predict = telic.Predict("q -> a")
    pairs = [(predict, telic.Example(q=f"n{i}").with_inputs("q")) for i in range(20)]
    with telic.context(lm=lm):
        results = telic.Parallel(num_threads=4, disable_progress_bar=True)(pairs)
    assert [r.a for r in results] == [f"n{i}" for i in range(20)]


def test_an_input_with_a_default_may_be_left_out():
    lm = ScriptedLM([chat(a="x")])
    signature = telic.make_signature(
        {
            "q": (str, telic.InputField()),
            "tone": (str, telic.InputField(default="dry")),
            "a": (str, telic.OutputField()),
        }
    )
    with telic.context(lm=lm):
        telic.Predict(signature)(q="?")
    assert "dry" in lm.asked[0][-1]["content"]
