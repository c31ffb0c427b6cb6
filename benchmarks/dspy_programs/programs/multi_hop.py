"""Search in hops: a query from what is known so far, notes from what it finds, and a verdict in the end."""

import os

import dspy

TITLES = {
    "bridge": ["Forth Bridge | A railway bridge over the Firth of Forth, opened in 1890."],
    "engineer": ["Benjamin Baker | An English engineer who worked on the Forth Bridge and the Aswan dam."],
}


def search(query: str) -> list[str]:
    return [text for word, found in TITLES.items() if word in query.lower() for text in found]


class WriteQuery(dspy.Signature):
    """Write a search query that brings the claim closer to a verdict."""

    claim: str = dspy.InputField()
    notes: list[str] = dspy.InputField(desc="what is known so far")
    query: str = dspy.OutputField()


class Hop(dspy.Module):
    def __init__(self, hops: int = 2):
        super().__init__()
        self.hops = hops
        self.write_query = dspy.ChainOfThought(WriteQuery)
        self.take_notes = dspy.Predict(
            "claim, notes: list[str], passages: list[str] -> new_notes: list[str], titles: list[str]"
        )
        self.decide = dspy.ChainOfThought("claim, notes: list[str] -> supported: bool, confidence: float")

    def forward(self, claim: str):
        notes, titles = [], []
        for _ in range(self.hops):
            query = self.write_query(claim=claim, notes=notes).query
            found = self.take_notes(claim=claim, notes=notes, passages=search(query))
            notes.extend(found.new_notes)
            titles.extend(title for title in found.titles if title not in titles)
        verdict = self.decide(claim=claim, notes=notes)
        return dspy.Prediction(supported=verdict.supported, confidence=verdict.confidence, titles=titles)


dspy.configure(
    lm=dspy.LM(
        "openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False, temperature=0.7
    )
)
result = Hop()(claim="An engineer of the Forth Bridge also worked on a dam.")
print(result.supported, result.confidence, result.titles)
