"""One pool per loop, closed with it, without a word of complaint."""

import asyncio
import gc
import os
import subprocess
import sys

import pytest

from telic.lm.http import pool
from telic.lm.http.engine import HttpEngine
from telic.testing.server import LocalServer
from telic.types import Request

ASKED = Request("m", messages=[{"role": "user", "content": "x"}])


def test_engines_share_the_session_of_their_loop_and_it_ends_with_the_loop():
    with LocalServer() as server:

        async def main():
            await HttpEngine("a", server.url).acomplete(ASKED)
            first = await pool.session()
            await HttpEngine("b", server.url).acomplete(ASKED)
            assert await pool.session() is first
            return first, asyncio.get_running_loop()

        for _ in range(3):
            session, loop = asyncio.run(main())
            assert session.closed
            assert loop not in pool._pools


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_loop_that_is_closed_the_hard_way_is_cleared_away():
    with LocalServer() as server:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(HttpEngine("a", server.url).acomplete(ASKED))
        session = pool._pools[loop].session
        loop.close()
        asyncio.run(HttpEngine("a", server.url).acomplete(ASKED))
        assert session.closed
        assert loop not in pool._pools
        gc.collect()


def test_connections_are_used_again():
    with LocalServer() as server:
        engine = HttpEngine("a", server.url)

        async def main():
            for _ in range(5):
                await engine.acomplete(ASKED)
            return sum(len(c) for c in (await pool.session()).connector._conns.values())

        assert asyncio.run(main()) == 1


PROGRAM = """
import asyncio, sys, threading
from telic.lm.http.engine import HttpEngine
from telic.types import Request
engine = HttpEngine("m", sys.argv[1])
asked = Request("m", messages=[{"role": "user", "content": "x"}])
engine.complete(asked)
asyncio.run(engine.acomplete(asked))
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
asyncio.run_coroutine_threadsafe(engine.acomplete(asked), loop).result()
print("done")
"""


def test_a_program_ends_without_warnings():
    with LocalServer() as server:
        ran = subprocess.run(
            [sys.executable, "-X", "dev", "-c", PROGRAM, server.url],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONASYNCIODEBUG": "0"},
        )
    assert ran.stdout == "done\n"
    assert "nclosed" not in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own():
    with LocalServer(reply=lambda body: body["messages"][0]["content"]) as server:
        engine = HttpEngine("m", server.url)
        engine.complete(ASKED)
        child = os.fork()
        if child == 0:
            text = engine.complete(ASKED).choices[0].text
            os._exit(0 if text == "x" else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert engine.complete(ASKED).choices[0].text == "x"


def test_a_light_import():
    made = "import sys, telic.lm.http.providers as p; p.http_engine_for('ollama/x')"
    code = f"{made}; print('aiohttp' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
