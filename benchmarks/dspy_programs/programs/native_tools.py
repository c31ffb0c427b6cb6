"""Tools called natively, in a signature that takes tools and gives tool calls."""

import os

import dspy


def weather(city: str, days: int = 1) -> str:
    """The weather in a city, for some days."""
    return f"{city}: {'sun ' * days}".strip()


def time_in(city: str) -> str:
    """The time in a city."""
    return "noon"


class Plan(dspy.Signature):
    """Choose tools."""

    question: str = dspy.InputField()
    tools: list[dspy.Tool] = dspy.InputField()
    outputs: dspy.ToolCalls = dspy.OutputField()


dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
tools = {tool.name: tool for tool in (dspy.Tool(weather), dspy.Tool(time_in))}

for adapter in (dspy.JSONAdapter(), dspy.ChatAdapter(use_native_function_calling=True), dspy.ChatAdapter()):
    with dspy.context(adapter=adapter):
        result = dspy.Predict(Plan)(question="Weather in Oban, and the time?", tools=list(tools.values()))
    for call in result.outputs.tool_calls:
        print(call.name, call.args, tools[call.name](**call.args))
