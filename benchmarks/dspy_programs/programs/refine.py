"""Tries again until a reward is reached, with advice in between; and the best of some without advice."""

import os

import dspy


def short(args, pred) -> float:
    return 1.0 if len(pred.answer.split()) == 1 else 0.0


dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
answer = dspy.ChainOfThought("question -> answer")

refined = dspy.Refine(module=answer, N=3, reward_fn=short, threshold=1.0)
print(refined(question="What is the capital of Scotland?").answer)

best = dspy.BestOfN(module=answer, N=3, reward_fn=short, threshold=1.0)
print(best(question="What is the capital of Wales?").answer)
