"""An answer shown while it is written, in a conversation."""

import asyncio
import os

import dspy


class Chat(dspy.Module):
    def __init__(self):
        super().__init__()
        self.think = dspy.Predict("question, history: dspy.History -> mood: str")
        self.answer = dspy.ChainOfThought("question, mood, history: dspy.History -> answer")

    def forward(self, question, history):
        mood = self.think(question=question, history=history).mood
        return self.answer(question=question, mood=mood, history=history)


async def main():
    listeners = [dspy.streaming.StreamListener(signature_field_name="answer")]
    program = dspy.streamify(Chat(), stream_listeners=listeners)
    history = dspy.History(messages=[{"question": "Hello?", "answer": "Good day to you."}])
    text = ""
    async for chunk in program(question="How is the sea today?", history=history):
        if isinstance(chunk, dspy.streaming.StreamResponse):
            assert chunk.signature_field_name == "answer"
            text += chunk.chunk
        elif isinstance(chunk, dspy.Prediction):
            print(chunk.answer)
    print(text.strip())


dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
asyncio.run(main())
