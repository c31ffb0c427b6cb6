"""The scripted server and the bare responder, as those who write tests and benchmarks see them."""

import asyncio
import json
import subprocess
import sys
import urllib.request

import aiohttp
import pytest

from telic.testing.faults import Faults
from telic.testing.replies import Script
from telic.testing.server import LocalServer


def body(text):
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


def test_replies_by_text_list_word_and_function():
    assert Script("a").reply_to(body("x")) == "a"
    listed = Script(["a", {"content": "b"}])
    assert [listed.reply_to(body("x")) for _ in range(3)] == ["a", {"content": "b"}, {"content": "b"}]
    worded = Script({"capital": "Paris", "": "?"})
    assert [worded.reply_to(body(t)) for t in ("the capital", "else")] == ["Paris", "?"]
    assert Script(lambda b: b["model"]).reply_to(body("x")) == "m"
    with pytest.raises(LookupError):
        Script({"capital": "Paris"}).reply_to(body("else"))


def test_faults_do_not_depend_on_the_order_of_arrival():
    faults = Faults(rate=0.3, seed=5)
    kinds = [faults.of(i, f"hash{i}", 0) for i in range(2000)]
    assert kinds == [faults.of(7, f"hash{i}", 0) for i in range(2000)]
    assert 0.25 < sum(k is not None for k in kinds) / 2000 < 0.35
    assert {k for k in kinds if k is not None} == set(faults.kinds)
    assert kinds != [Faults(rate=0.3, seed=6).of(i, f"hash{i}", 0) for i in range(2000)]


async def test_streams_are_deltas_that_add_up():
    with LocalServer(reply="one two  three\n") as server, LocalServer(api_key="k") as locked:
        async with aiohttp.ClientSession() as session:
            async with session.post(
                f"{server.url}/chat/completions",
                json={**body("x"), "stream": True, "stream_options": {"include_usage": True}},
            ) as answer:
                lines = [line.strip() for line in (await answer.text()).split("\n") if line.strip()]
            async with session.post(f"{locked.url}/chat/completions", json=body("x")) as refused:
                assert refused.status == 401
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    deltas = [c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]]
    assert "".join(deltas) == "one two  three\n"
    assert len(deltas) == 4
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["completion_tokens"] == 3
    assert sum(server.answered.values()) == 1


def test_models_are_listed_and_the_port_is_free_afterwards():
    with LocalServer(models=["a", "b"]) as server:
        rows = json.load(urllib.request.urlopen(f"{server.url}/models"))["data"]
        port = server.port
    assert [row["id"] for row in rows] == ["a", "b"]
    with LocalServer(port=port) as again:
        assert again.port == port
        with pytest.raises(OSError, match="in use"):
            LocalServer(port=port).start()


def test_the_bare_responder_counts_what_it_answers():
    command = [sys.executable, "-m", "telic.testing.server", "--latency-ms", "5", "--reply", "hello"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().strip()

        async def main():
            async with aiohttp.ClientSession() as session:

                async def one(path, asked):
                    async with session.post(f"{url}{path}", json=asked) as answer:
                        return (await answer.json())["choices"][0]

                answers = await asyncio.gather(
                    *[one("/chat/completions", body("x" * n)) for n in (1, 200_000)]
                )
                answers.append(await one("/completions", {"prompt": "x"}))
                async with session.get(url.replace("/v1", "/count")) as count:
                    return answers, int(await count.text())

        answers, count = asyncio.run(main())
        server.terminate()
    assert [a["message"]["content"] for a in answers[:2]] == ["hello", "hello"]
    assert answers[2]["text"] == "hello"
    assert count == 3
