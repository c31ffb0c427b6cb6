"""Every way a server can fail: what is asked again, what is raised, what is never paid for twice."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from telic.errors import (
    LMAuthError,
    LMConfigurationError,
    LMError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
    LMUnsupportedModelError,
)
from telic.lm.http.engine import HttpEngine
from telic.testing.faults import ALL_KINDS, Faults
from telic.testing.server import LocalServer
from telic.types import Request

QUICK = {"timeout": 0.3, "backoff": 0.02}
RAISED = {
    429: LMRateLimitError,
    500: LMServerError,
    503: LMServerError,
    "reset": LMTransportError,
    "stall": LMTimeoutError,
    "truncate": LMTransportError,
    "malformed": LMTransportError,
}


async def until(happened):
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.01)


def ask(text="hello"):
    return Request("openai/test", messages=[{"role": "user", "content": text}])


@pytest.mark.parametrize("kind", RAISED)
def test_each_fault_is_asked_again(kind):
    with LocalServer(reply="fine", faults=Faults(plan=[kind, kind])) as server:
        response = HttpEngine("test", server.url, **QUICK).complete(ask())
    assert response.choices[0].text == "fine"
    assert server.count == 3
    assert list(server.answered.values()) == [1]


@pytest.mark.parametrize("kind", RAISED)
def test_each_fault_is_raised_when_the_retries_are_spent(kind):
    with LocalServer(faults=Faults(rate=1, kinds=[kind])) as server, pytest.raises(RAISED[kind]) as caught:
        HttpEngine("test", server.url, num_retries=2, **QUICK).complete(ask())
    assert server.count == 3
    error = caught.value
    assert error.model == "openai/test"
    assert error.provider == "openai"
    assert server.url in str(error)
    assert "asked 3 times" in str(error)
    if isinstance(kind, int):
        assert error.status == kind
        assert error.provider_code == f"injected_{kind}"
        assert error.request_id.startswith("local-")


@pytest.mark.parametrize("kind", RAISED)
def test_no_retries_means_none(kind):
    with LocalServer(faults=Faults(rate=1, kinds=[kind], retry_after=5)) as server:
        begun = time.monotonic()
        with pytest.raises(RAISED[kind]):
            HttpEngine("test", server.url, num_retries=0, **QUICK).complete(ask())
    assert server.count == 1
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "header", ["0.4", lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)]
)
def test_retry_after_is_waited_for_and_uses_up_no_retry(header):
    wait = header if isinstance(header, str) else header()
    with LocalServer(reply="fine", faults=Faults(plan=[429], retry_after=wait)) as server:
        begun = time.monotonic()
        response = HttpEngine("test", server.url, num_retries=1, **QUICK).complete(ask())
    assert response.choices[0].text == "fine"
    assert 0.4 <= time.monotonic() - begun < 4


def test_refusals_with_retry_after_do_not_count_as_tries():
    with LocalServer(reply="fine", faults=Faults(plan=[429] * 8, retry_after="0.01")) as server:
        response = HttpEngine("test", server.url, num_retries=1, **QUICK).complete(ask())
    assert response.choices[0].text == "fine"
    assert server.count == 9


def test_one_refusal_holds_back_everybody_at_that_endpoint():
    with LocalServer(faults=Faults(plan=[429], retry_after="0.5")) as server:
        first, second = (HttpEngine("test", server.url, **QUICK) for _ in range(2))

        async def main():
            refused = asyncio.create_task(first.acomplete(ask("a")))
            await until(lambda: server.count)
            await asyncio.sleep(0.05)
            begun = time.monotonic()
            await second.acomplete(ask("b"))
            waited = time.monotonic() - begun
            await refused
            return waited

        assert asyncio.run(main()) > 0.3
    assert server.count == 3


def test_a_wait_beyond_all_patience_is_raised_with_its_length():
    with LocalServer(faults=Faults(plan=[429], retry_after=86400)) as server:
        engine = HttpEngine("test", server.url, **QUICK)
        with pytest.raises(LMRateLimitError) as caught:
            engine.complete(ask())
        assert caught.value.retry_after == 86400
        assert engine.complete(ask()).choices[0].text == "ok"


def test_the_deadline_ends_it():
    with LocalServer(faults=Faults(rate=1, kinds=["stall"])) as server:
        begun = time.monotonic()
        with pytest.raises(LMTimeoutError):
            HttpEngine("test", server.url, num_retries=9, timeout=0.2, deadline=0.5, backoff=0.02).complete(
                ask()
            )
    assert 0.15 < time.monotonic() - begun < 3


def test_an_unreachable_server_is_named_with_a_remedy():
    with pytest.raises(LMTransportError) as caught:
        HttpEngine("test", "http://127.0.0.1:9/v1", num_retries=1, backoff=0.01).complete(ask())
    assert "http://127.0.0.1:9/v1" in str(caught.value)
    assert "api_base" in str(caught.value)


def test_a_wrong_key_is_said_at_once_and_never_shown(caplog):
    with LocalServer(api_key="right") as server:
        with pytest.raises(LMAuthError) as caught:
            HttpEngine("test", server.url, "wrong-and-private").complete(ask())
        assert HttpEngine("test", server.url, "right").complete(ask()).choices[0].text == "ok"
    assert server.count == 2
    assert "OPENAI_API_KEY" in str(caught.value)
    assert "wrong-and-private" not in f"{caught.value!r}{caught.value}{vars(caught.value)}{caplog.text}"


def test_a_key_that_the_server_repeats_is_taken_out():
    def answer(body):
        raise LookupError("the key tr0ub4dor&3 was not accepted")

    with LocalServer(reply=answer) as server, pytest.raises(LMError) as caught:
        HttpEngine("test", server.url, "tr0ub4dor&3").complete(ask())
    assert "tr0ub4dor" not in str(caught.value)
    assert "***" in str(caught.value)


def test_an_unknown_model_and_a_wrong_path_are_told_apart():
    with LocalServer(models=["other"]) as server:
        with pytest.raises(LMUnsupportedModelError, match="test"):
            HttpEngine("test", server.url).complete(ask())
        with pytest.raises(LMConfigurationError, match="api_base"):
            HttpEngine("test", server.url.replace("/v1", "/v2")).complete(ask())


async def test_cancelling_closes_the_request_at_the_server():
    with LocalServer(latency=5) as server:
        task = asyncio.create_task(HttpEngine("test", server.url).acomplete(ask()))
        await until(lambda: server.count)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.dropped == 1)


async def test_hundreds_of_requests_through_every_fault_end_answered_or_with_their_cause():
    faults = Faults(rate=0.2, kinds=ALL_KINDS, retry_after="0.02", seed=3)
    with LocalServer(
        reply=lambda body: body["messages"][0]["content"], latency=0.002, faults=faults
    ) as server:
        engine = HttpEngine("test", server.url, timeout=1.0, backoff=0.02)
        asked = [ask(f"number {i}") for i in range(600)]
        gate = asyncio.Semaphore(64)

        async def one(request):
            async with gate:
                return await engine.acomplete(request)

        outcomes = await asyncio.gather(*[one(r) for r in asked], return_exceptions=True)
    answered = [o.choices[0].text for o in outcomes if not isinstance(o, BaseException)]
    failed = [o for o in outcomes if isinstance(o, BaseException)]
    assert len(answered) >= 585
    assert set(answered) == {
        f"number {i}" for i, o in enumerate(outcomes) if not isinstance(o, BaseException)
    }
    assert all(isinstance(o, LMError) and "times)" in str(o) for o in failed)
    assert sum(r.fault is not None for r in server.requests) > 90
    assert max(server.answered.values()) == 1
    assert sum(server.answered.values()) == len(answered)
    assert engine.asked_again == sum(r.fault in ("truncate", "malformed") for r in server.requests)
