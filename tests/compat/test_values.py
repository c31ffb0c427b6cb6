"""Kinds of values in DSPy's terms: pictures, sounds, files, code, reasoning, histories, types of one's own."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pydantic
import pytest

from tests.compat.scripts import chat, dummy, markers, sent, served
from tests.compat.target import dspy

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    assert isinstance(content, list), content
    return content


def kinds(message: dict[str, Any]) -> list[str]:
    return [part["type"] for part in parts(message)]


# Pictures.


def test_an_image_of_a_url() -> None:
    image = dspy.Image("https://example.com/a.png")
    assert image.url == "https://example.com/a.png"
    assert image.format() == [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]


def test_an_image_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    for image in (dspy.Image.from_path(str(path)), dspy.Image.from_file(str(path))):
        assert image.url == "data:image/png;base64," + base64.b64encode(PNG).decode()


def test_an_image_of_bytes() -> None:
    assert dspy.Image(PNG).url.startswith("data:image/png;base64,")


def test_an_image_of_data() -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert dspy.Image(url).url == url


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError):
        dspy.Image("no such file and no address")


def test_an_image_is_shown_short() -> None:
    assert len(repr(dspy.Image(PNG))) < 120


class Look(dspy.Signature):
    """Look."""

    picture: dspy.Image = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


@pytest.mark.parametrize("adapter", [None, "json"])
def test_an_image_is_a_part_of_the_message(adapter: str | None) -> None:
    reply = chat(answer="a") if adapter is None else '{"answer": "a"}'
    chosen = None if adapter is None else dspy.JSONAdapter()
    with served(reply) as (server, _), dspy.context(adapter=chosen):
        dspy.Predict(Look)(picture=dspy.Image("https://example.com/a.png"), question="What is it?")
    user = server.bodies[0]["messages"][-1]
    assert kinds(user) == ["text", "image_url", "text"]
    assert parts(user)[1] == {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert parts(user)[0]["text"].rstrip().endswith("[[ ## picture ## ]]")
    assert "What is it?" in parts(user)[2]["text"]


def test_images_in_a_list() -> None:
    class Compare(dspy.Signature):
        pictures: list[dspy.Image] = dspy.InputField()
        answer: str = dspy.OutputField()

    urls = [f"https://example.com/{n}.png" for n in range(2)]
    with served(chat(answer="a")) as (server, _):
        dspy.Predict(Compare)(pictures=[dspy.Image(url) for url in urls])
    user = server.bodies[0]["messages"][-1]
    assert [part["image_url"]["url"] for part in parts(user) if part["type"] == "image_url"] == urls


def test_images_in_a_model() -> None:
    class Album(pydantic.BaseModel):
        cover: dspy.Image
        title: str

    class Describe(dspy.Signature):
        album: Album = dspy.InputField()
        answer: str = dspy.OutputField()

    with served(chat(answer="a")) as (server, _):
        dspy.Predict(Describe)(album=Album(cover=dspy.Image("https://example.com/c.png"), title="T"))
    user = server.bodies[0]["messages"][-1]
    assert "image_url" in kinds(user)
    assert "T" in json.dumps(parts(user))


def test_images_in_demos() -> None:
    with served(chat(answer="a")) as (server, _):
        predict = dspy.Predict(Look)
        predict.demos = [
            dspy.Example(picture=dspy.Image("https://example.com/d.png"), question="q", answer="x")
        ]
        predict(picture=dspy.Image("https://example.com/a.png"), question="?")
    assert "image_url" in kinds(server.bodies[0]["messages"][1])


def test_images_of_a_saved_program_come_back(tmp_path: Path) -> None:
    predict = dspy.Predict(Look)
    predict.demos = [dspy.Example(picture=dspy.Image("https://example.com/d.png"), question="q", answer="x")]
    path = tmp_path / "look.json"
    predict.save(path)
    loaded = dspy.Predict(Look)
    loaded.load(path)
    with served(chat(answer="a")) as (server, _):
        loaded(picture=dspy.Image("https://example.com/a.png"), question="?")
    assert "image_url" in kinds(server.bodies[0]["messages"][1])


# Sounds and files.


def wav(tmp_path: Path) -> Path:
    import wave

    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 80)
    return path


def test_audio_of_a_file(tmp_path: Path) -> None:
    audio = dspy.Audio.from_file(str(wav(tmp_path)))
    assert audio.audio_format == "wav"
    part = audio.format()[0]
    assert part["type"] == "input_audio"
    assert part["input_audio"] == {"data": audio.data, "format": "wav"}


def test_audio_in_a_message(tmp_path: Path) -> None:
    class Hear(dspy.Signature):
        sound: dspy.Audio = dspy.InputField()
        answer: str = dspy.OutputField()

    with served(chat(answer="a"), model="openai/gpt-4o-audio-preview") as (server, _):
        dspy.Predict(Hear)(sound=dspy.Audio.from_path(str(wav(tmp_path))))
    assert "input_audio" in kinds(server.bodies[0]["messages"][-1])


def test_a_file_of_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("content")
    file = dspy.File.from_path(str(path))
    assert file.filename == "a.txt"
    assert base64.b64encode(b"content").decode() in file.file_data
    assert file.format()[0]["type"] == "file"


def test_a_file_of_bytes() -> None:
    file = dspy.File.from_bytes(b"content", filename="b.pdf", mime_type="application/pdf")
    assert file.file_data.startswith("data:application/pdf;base64,")
    assert file.filename == "b.pdf"


def test_a_file_by_its_id() -> None:
    file = dspy.File.from_file_id("file-1", filename="c.pdf")
    assert file.format()[0]["file"]["file_id"] == "file-1"


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ValueError):
        dspy.File()


# Code and reasoning.


def test_code_is_read_out_of_its_fence() -> None:
    class Write(dspy.Signature):
        task: str = dspy.InputField()
        code: dspy.Code["python"] = dspy.OutputField()

    dummy({"code": "```python\nprint(1)\n```"})
    assert dspy.Predict(Write)(task="?").code.code == "print(1)"


def test_code_of_a_language() -> None:
    assert dspy.Code["java"].language == "java"
    assert dspy.Code(code="x = 1").code == "x = 1"


def test_code_as_an_input() -> None:
    class Explain(dspy.Signature):
        code: dspy.Code["python"] = dspy.InputField()
        answer: str = dspy.OutputField()

    lm = dummy({"answer": "a"})
    dspy.Predict(Explain)(code=dspy.Code(code="print(41)"))
    assert "print(41)" in sent(lm)[-1]["content"]


def test_reasoning_is_like_text() -> None:
    reasoning = dspy.Reasoning(content="because of this")
    assert reasoning == "because of this"
    assert str(reasoning) == "because of this"
    assert reasoning.upper() == "BECAUSE OF THIS"
    assert "of" in reasoning
    assert len(reasoning) == 15


def test_reasoning_in_text_where_it_is_not_native() -> None:
    class Think(dspy.Signature):
        question: str = dspy.InputField()
        reasoning: dspy.Reasoning = dspy.OutputField()
        answer: str = dspy.OutputField()

    lm = dummy({"reasoning": "so", "answer": "a"})
    prediction = dspy.Predict(Think)(question="?")
    assert prediction.reasoning == "so"
    assert "reasoning" in markers(sent(lm)[-1]["content"])


# Histories.


def test_a_history_keeps_its_turns() -> None:
    history = dspy.History(messages=[{"question": "q", "answer": "a"}])
    assert history.messages[0]["answer"] == "a"


def test_a_history_is_frozen() -> None:
    history = dspy.History(messages=[])
    with pytest.raises(Exception):
        history.messages = []


@pytest.mark.parametrize("messages", [5, "text", [1, 2]])
def test_what_are_no_turns(messages: Any) -> None:
    with pytest.raises(Exception):
        dspy.History(messages=messages)


# Types of one's own.


class Money(dspy.Type):
    """An amount."""

    amount: float
    currency: str = "EUR"

    @classmethod
    def description(cls) -> str:
        return "An amount of money with its currency."

    def format(self) -> str:
        return f"{self.amount:.2f} {self.currency}"


def test_a_type_of_ones_own_is_shown_as_it_says() -> None:
    class Price(dspy.Signature):
        cost: Money = dspy.InputField()
        answer: str = dspy.OutputField()

    lm = dummy({"answer": "a"})
    dspy.Predict(Price)(cost=Money(amount=3))
    assert "3.00 EUR" in sent(lm)[-1]["content"]


def test_a_type_of_ones_own_is_described() -> None:
    class Price(dspy.Signature):
        thing: str = dspy.InputField()
        cost: Money = dspy.OutputField()

    lm = dummy({"cost": '{"amount": 2.5}'})
    prediction = dspy.Predict(Price)(thing="bread")
    assert prediction.cost == Money(amount=2.5)
    assert "An amount of money with its currency." in sent(lm)[0]["content"]


def test_a_type_may_be_shown_as_parts() -> None:
    class Sketch(dspy.Type):
        url: str

        def format(self) -> list[dict[str, Any]]:
            return [{"type": "image_url", "image_url": {"url": self.url}}]

    class Judge(dspy.Signature):
        sketch: Sketch = dspy.InputField()
        answer: str = dspy.OutputField()

    with served(chat(answer="a")) as (server, _):
        dspy.Predict(Judge)(sketch=Sketch(url="https://example.com/s.png"))
    assert "image_url" in kinds(server.bodies[0]["messages"][-1])


def test_types_inside_an_annotation() -> None:
    found = dspy.Type.extract_custom_type_from_annotation(list[Money] | None)
    assert found == [Money]
    assert dspy.Type.extract_custom_type_from_annotation(dict[str, int]) == []


def test_documents() -> None:
    from tests.compat.target import REAL

    if REAL:
        from dspy.experimental import Document
    else:
        Document = dspy.experimental.Document
    document = Document(data="The sky is blue.", title="Sky")
    part = document.format()[0]
    assert part["type"] == "document"
    assert part["source"]["data"] == "The sky is blue."
    assert part["title"] == "Sky"


def test_citations() -> None:
    from tests.compat.target import REAL

    if REAL:
        from dspy.experimental import Citations
    else:
        Citations = dspy.experimental.Citations
    rows = [{"cited_text": "blue", "document_index": 0, "start_char_index": 1, "end_char_index": 5,
             "supported_text": "It is blue."}]  # fmt: skip
    citations = Citations.from_dict_list(rows)
    assert citations.citations[0].cited_text == "blue"
    assert len(citations.citations) == 1


def test_an_adapter_of_ones_own_shows_pictures() -> None:
    class Lines(dspy.Adapter):  # type: ignore[misc,unused-ignore]
        def format_field_description(self, signature: Any) -> str:
            return "fields"

        def format_field_structure(self, signature: Any) -> str:
            return "lines"

        def format_task_description(self, signature: Any) -> str:
            return "task"

        def format_user_message_content(self, signature: Any, inputs: Any, *_: Any, **__: Any) -> str:
            return "\n".join(f"{name}: {inputs[name]}" for name in signature.input_fields)

        def parse(self, signature: Any, completion: str) -> dict[str, Any]:
            return dict.fromkeys(signature.output_fields, completion)

    with served("a cat") as (server, _), dspy.context(adapter=Lines()):
        predict = dspy.Predict("picture: dspy.Image, question -> answer")
        assert predict(picture=dspy.Image("https://example.com/a.png"), question="what?").answer == "a cat"
    content = server.bodies[0]["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url", "text"]
    assert content[1]["image_url"]["url"] == "https://example.com/a.png"
