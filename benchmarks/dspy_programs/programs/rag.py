"""Answers from passages that a retriever finds, with two worked examples."""

import os
import re

import dspy

CORPUS = [
    "The Ness is a river in the Scottish Highlands that leaves Loch Ness at its northern end.",
    "Inverness lies where the Ness meets the Moray Firth; its name means mouth of the Ness.",
    "Caledonian Canal: opened in 1822, joins the east and the west coast of Scotland.",
    "The Spey is the second longest river of Scotland, and known for its whisky.",
]


def search(query: str, k: int = 2) -> list[str]:
    words = set(re.findall(r"\w+", query.lower()))
    ranked = sorted(CORPUS, key=lambda text: -len(words & set(re.findall(r"\w+", text.lower()))))
    return ranked[:k]


class RAG(dspy.Module):
    def __init__(self, passages: int = 2):
        super().__init__()
        self.passages = passages
        self.respond = dspy.ChainOfThought("context: list[str], question -> response")

    def forward(self, question: str):
        context = search(question, self.passages)
        answer = self.respond(context=context, question=question)
        return dspy.Prediction(context=context, response=answer.response)


lm = dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False, max_tokens=500)
dspy.configure(lm=lm)

rag = RAG()
print(rag(question="Which river flows through Inverness?").response)

rag.respond.predict.demos = [
    dspy.Example(
        context=["The Tay is the longest river of Scotland."],
        question="What is the longest river of Scotland?",
        reasoning="The passage says so.",
        response="The Tay.",
    ),
    dspy.Example(question="Is the Spey known for whisky?", response="Yes.").with_inputs("question"),
]
prediction = rag(question="When was the Caledonian Canal opened?")
print(prediction.response, len(prediction.context))
print(len(lm.history))
