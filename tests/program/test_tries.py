"""Voting, comparing, best of several, refining."""

from __future__ import annotations

import pytest

import telic
from telic.errors import AdapterParseError, InputError
from telic.modules.best_of_n import BestOfN
from telic.modules.majority import majority
from telic.modules.multi_chain_comparison import MultiChainComparison
from telic.modules.refine import Refine
from tests.scripted import ScriptedLM, chat


def test_majority_votes_on_normalized_answers():
    prediction = telic.Prediction.from_completions(
        [{"answer": "no"}, {"answer": "The Yes."}, {"answer": "yes"}]
    )
    assert majority(prediction).answer == "The Yes."
    assert majority([{"a": 1}, {"a": 2}, {"a": 2}]).a == 2
    assert majority([{"a": ["x"]}, {"a": ["x"]}, {"a": []}]).a == ["x"]
    assert majority([{"a": "", "b": 1}, {"a": "", "b": 2}, {"a": "x", "b": 3}], field="a").b == 3
    with pytest.raises(InputError, match="no completions"):
        majority([])


def test_multi_chain_comparison_shows_every_attempt():
    lm = ScriptedLM([chat(rationale="both", answer="2")])
    compare = MultiChainComparison("question -> answer", M=2)
    attempts = [telic.Prediction(reasoning="add", answer="1"), {"rationale": "count\nmore", "answer": "2"}]
    with telic.context(lm=lm):
        assert compare(attempts, question="1+1?").answer == "2"
        with pytest.raises(InputError, match="2 attempts"):
            compare(attempts[:1], question="?")
    sent = lm.asked[0][-1]["content"]
    assert "«I'm trying to add I'm not sure but my prediction is 1»" in sent
    assert "count I'm" in sent


class Asking(telic.Module):
    def __init__(self):
        self.p = telic.Predict("question -> answer")

    def forward(self, question):
        return self.p(question=question)


def longest(inputs, prediction):
    return len(prediction.answer) / 10


async def test_best_of_n_stops_at_the_threshold_and_keeps_the_best():
    lm = ScriptedLM([chat(answer="abc"), chat(answer="abcde"), chat(answer="ab"), chat(answer="never asked")])
    with telic.context(lm=lm):
        best = BestOfN(Asking(), N=3, reward_fn=longest, threshold=1.0)
        assert best(question="?").answer == "abcde"
    assert len(lm.asked) == 3
    lm = ScriptedLM([chat(answer="abc"), chat(answer="a" * 12)])
    with telic.context(lm=lm):
        assert (await best.acall(question="?")).answer == "a" * 12
    assert [p for p, _ in best.named_predictors()] == ["module.p"]
    assert best.module.p.config == {}


def test_best_of_n_survives_failures_up_to_a_count():
    lm = ScriptedLM(["[[ ## wrong ## ]] x", chat(answer="ok")])
    with telic.context(lm=lm, max_repairs=0):
        assert BestOfN(Asking(), N=2, reward_fn=longest, threshold=9)(question="?").answer == "ok"
    lm = ScriptedLM(lambda _: "[[ ## wrong ## ]] x")
    with telic.context(lm=lm, max_repairs=0), pytest.raises(AdapterParseError):
        BestOfN(Asking(), N=5, reward_fn=longest, threshold=9, fail_count=1)(question="?")
    assert len(lm.asked) == 2


def test_refine_hands_advice_to_the_next_try():
    lm = ScriptedLM(
        [
            chat(answer="a"),
            chat(discussion="too short", advice='{"p": "Write at least three letters."}'),
            chat(answer="abc"),
        ]
    )
    program = Asking()
    with telic.context(lm=lm):
        refined = Refine(program, N=3, reward_fn=longest, threshold=0.3)(question="?")
    assert refined.answer == "abc"
    assert "Write at least three letters." not in str(lm.asked[0])
    assert "Write at least three letters." in lm.asked[2][-1]["content"]
    assert "def longest" in lm.asked[1][-1]["content"]
    assert "hint_" not in program.p.signature.input_fields


def test_the_kept_tries_trace_is_the_only_one_seen():
    from telic.runtime import scope

    lm = ScriptedLM([chat(answer="a"), chat(answer="abcdef")])
    trace: list = []
    with telic.context(lm=lm), scope.within(trace=trace):
        BestOfN(Asking(), N=2, reward_fn=longest, threshold=0.5)(question="?")
    assert [step[2].answer for step in trace] == ["abcdef"]
