"""Payloads stay out of history, logs and the record; the key of a request covers them."""

from __future__ import annotations

import base64
import io
from typing import Any

import telic
from telic.lm.history import History, HistoryEntry, inspect_history
from telic.signatures.validation import to_jsonable
from telic.store.cache import CallRecord
from telic.store.memory import MemoryStore
from telic.types import Audio, Choice, File, Image, Request, Response
from telic.types.slim import slim_messages, slim_request, slim_value

PAYLOAD = base64.b64encode(bytes(range(256)) * 4000).decode()
IMAGE = Image(url=f"data:image/png;base64,{PAYLOAD}")
AUDIO = Audio(data=PAYLOAD, audio_format="wav")
FILE = File(file_data=PAYLOAD, filename="x.bin")
LONG_TEXT = {"type": "text", "text": PAYLOAD}
ADDRESS = {"type": "image_url", "image_url": {"url": "https://example.org/a.png?" + "x" * 300}}


def messages(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "system", "content": "Look."}, {"role": "user", "content": list(parts)}]


def test_messages_of_text_are_the_very_same() -> None:
    plain = [{"role": "user", "content": "x" * 100_000}, {"role": "assistant", "content": None}]
    assert slim_messages(plain) is plain
    parts = messages(
        LONG_TEXT, ADDRESS, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    )
    assert slim_messages(parts) is parts


def test_payloads_become_short_descriptions() -> None:
    full = messages(LONG_TEXT, *IMAGE.format(), *AUDIO.format(), *FILE.format(), ADDRESS)
    later = {"role": "user", "content": IMAGE.format()}
    slim = slim_messages([*full, later, {"role": "user", "content": "last"}])
    parts = slim[1]["content"]
    assert parts[0] is LONG_TEXT
    assert parts[1]["image_url"]["url"].startswith("<image/png, 1.0 MB, #")
    assert parts[2]["input_audio"] == {"data": parts[2]["input_audio"]["data"], "format": "wav"}
    assert parts[3]["file"]["filename"] == "x.bin"
    assert parts[4] is ADDRESS
    assert PAYLOAD not in str([*parts[1:], *slim[2:]])
    assert slim[0] is full[0]
    assert slim[2]["content"][0]["image_url"] == parts[1]["image_url"]
    assert slim[3] == {"role": "user", "content": "last"}
    assert full[1]["content"][1]["image_url"]["url"] == IMAGE.url


def test_a_slim_request_keeps_its_key() -> None:
    request = Request("a/b", messages=messages(*IMAGE.format()))
    other = Request("a/b", messages=messages(*Image(IMAGE.url.replace("AAEC", "AAED")).format()))
    slim = slim_request(request)
    assert slim is not request
    assert slim.key == request.key != other.key
    assert len(str(slim.to_json())) < 500
    assert slim_request(slim) is slim
    plain = Request("a/b", messages=[{"role": "user", "content": "x"}])
    assert slim_request(plain) is plain
    assert slim_request(Request("a/b", prompt="x")).prompt == "x"


def test_history_holds_no_payload() -> None:
    request = Request("a/b", messages=messages(*IMAGE.format(), {"type": "text", "text": "What is it?"}))
    entry = HistoryEntry(request, Response((Choice("a cat"),)), 0.0)
    assert entry.size() < 1000
    assert PAYLOAD not in str(entry["messages"])
    history, out = History(), io.StringIO()
    history.append(entry)
    inspect_history(1, out, history=history)
    assert "What is it?" in out.getvalue()
    assert "image/png, 1.0 MB" in out.getvalue()


def test_the_record_holds_no_payload_and_still_tells_requests_apart() -> None:
    store = MemoryStore()
    record = CallRecord(store, memory_bytes=0)
    request = Request("a/b", messages=messages(*IMAGE.format()))
    record.record(request, Response((Choice("a cat"),)))
    row = store.get("calls", request.key)
    assert row is not None
    assert PAYLOAD not in str(row)
    found = record.lookup(Request("a/b", messages=messages(*IMAGE.format())).key)
    assert found is not None
    assert found.choices[0].text == "a cat"
    assert record.lookup(Request("a/b", messages=messages(*AUDIO.format())).key) is None


def test_rows_with_values_in_them() -> None:
    row = to_jsonable({"inputs": {"album": [IMAGE, AUDIO], "note": "n"}, "score": 1.0})
    slim = slim_value(row)
    assert PAYLOAD not in str(slim)
    assert "<image/png, 1.0 MB, #" in slim["inputs"]["album"][0]
    assert "wav" in slim["inputs"]["album"][1]
    assert (slim["inputs"]["note"], slim["score"]) == ("n", 1.0)
    plain = {
        "text": "x",
        "more": [{"a": "https://a.b/c"}, 3, None],
        "marked": "<<CUSTOM-TYPE-START-IDENTIFIER>>x",
    }
    assert slim_value(plain) is plain


def test_examples_and_predictions_show_no_payload() -> None:
    assert len(repr(telic.Example(picture=IMAGE, sound=AUDIO, file=FILE))) < 400
    assert len(repr(telic.Prediction(picture=IMAGE))) < 200
