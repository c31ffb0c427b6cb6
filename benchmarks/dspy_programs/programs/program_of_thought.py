"""A sum done by code that the model writes; the first try of it fails."""

import os

import dspy

dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
solve = dspy.ProgramOfThought(
    "question -> answer: int", max_iters=3, interpreter_factory=dspy.LocalInterpreter
)
print(solve(question="What is the sum of the squares of 1 to 10?").answer)
