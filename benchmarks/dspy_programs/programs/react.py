"""An agent with tools: one fails first, one has several arguments; and an async run of it."""

import asyncio
import os
from typing import Literal

import dspy


def lookup_height(mountain: str) -> float:
    """Height of a mountain, in metres."""
    return {"Ben Nevis": 1345.0, "Snowdon": 1085.0}[mountain]


def convert(amount: float, unit: Literal["feet", "yards"] = "feet") -> float:
    """Convert metres to another unit."""
    return round(amount * {"feet": 3.28084, "yards": 1.09361}[unit], 1)


class Ask(dspy.Signature):
    """Answer questions about mountains."""

    question: str = dspy.InputField()
    answer: float = dspy.OutputField(desc="a number only")


dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
agent = dspy.ReAct(Ask, tools=[lookup_height, dspy.Tool(convert, desc="Convert metres.")], max_iters=5)

result = agent(question="How high is Ben Nevis in feet?")
print(result.answer, sorted(result.trajectory))
print(result.trajectory["observation_1"], result.trajectory["observation_2"])

again = asyncio.run(agent.acall(question="How high is Snowdon in metres?"))
print(again.answer, sorted(again.trajectory))
