"""A conversation of several turns, kept in a History."""

import os

import dspy


class Reply(dspy.Signature):
    """Answer as the clerk of a small railway station."""

    question: str = dspy.InputField()
    history: dspy.History = dspy.InputField()
    answer: str = dspy.OutputField()


dspy.configure(
    lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False, stop=["END"])
)
reply = dspy.Predict(Reply)
history = dspy.History(messages=[])
for question in ("When does the next train leave?", "And the one after that?", "Thank you."):
    said = reply(question=question, history=history)
    history.messages.append({"question": question, **said})
    print(said.answer)
print(len(history.messages))
