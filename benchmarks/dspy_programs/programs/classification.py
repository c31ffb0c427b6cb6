"""Classes as a Literal: plain, with labelled examples, by majority of several answers, and measured."""

import os
from typing import Literal

import dspy
from dspy.evaluate import Evaluate
from dspy.teleprompt import LabeledFewShot


class Topic(dspy.Signature):
    """Tell what a message to the library is about."""

    message: str = dspy.InputField(desc="as it came")
    topic: Literal["loan", "return", "opening hours"] = dspy.OutputField()
    urgent: bool = dspy.OutputField(desc="whether somebody has to answer today")


def same_topic(example, prediction, trace=None):
    return example.topic == prediction.topic


dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
data = [
    dspy.Example(message="When do you close on Friday?", topic="opening hours", urgent=True).with_inputs(
        "message"
    ),
    dspy.Example(message="I lost the book I had.", topic="return", urgent=False).with_inputs("message"),
    dspy.Example(message="Can I have it for longer?", topic="loan", urgent=False).with_inputs("message"),
]
classify = dspy.Predict(Topic)
print(classify(message="Are you open now?"))

compiled = LabeledFewShot(k=2).compile(classify, trainset=data[:2], sample=False)
print(compiled(message="May I borrow two?").topic, len(compiled.demos))

several = dspy.Predict(Topic, n=3, temperature=1.0)(message="I bring it back tomorrow.")
print(several.completions.topic, dspy.majority(several, field="topic").topic)

score = Evaluate(devset=data, metric=same_topic, num_threads=1, display_progress=False)(compiled)
print(score.score)
