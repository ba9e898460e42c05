"""Many clients at the same time: each waits its turn, and none is turned away."""
import asyncio
import collections
import json
import resource

import pytest

from approver import b64
from client import unique

pytestmark = [pytest.mark.plain_only("the limits are those of the web server and the sockets"),
              pytest.mark.online_only("synchronous calls go to the offline side")]

CLIENTS = 1000


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CLIENTS + 100:
        pytest.skip("this login may open %d files only" % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CLIENTS + 100), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def client(host, port, request, together, met):
    reader, writer = await asyncio.open_connection(host, port)
    async with together:
        met["here"] += 1
        together.notify_all()
        await together.wait_for(lambda: met["here"] == CLIENTS)
    for _ in range(2):  # the connection stays, as applications keep theirs
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.lower().split("\r\n")
        if "transfer-encoding: chunked" in lines:
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            length = next(line for line in lines if line.startswith("content-length:"))
            body = await reader.readexactly(int(length.split(":")[1]))
        met[lines[0].split()[1], "signature" in json.loads(body)] += 1
        if "connection: close" in lines:
            writer.close()
            reader, writer = await asyncio.open_connection(host, port)
    writer.close()


async def crowd(host, port, request):
    met, together = collections.Counter(), asyncio.Condition()
    done = await asyncio.gather(*[client(host, port, request, together, met) for _ in range(CLIENTS)],
                                return_exceptions=True)
    for failure in filter(None, done):
        met[repr(failure)] += 1
    del met["here"]
    return met


def test_a_thousand_clients_at_once(api, site, many_files):
    label = unique()
    api.create_key(label)
    body = json.dumps({"signRequest": {"signKeyName": label, "payload": b64(b"crowd"),
                                       "signatureAlgorithm": "SHA256_WITH_ECDSA"}})
    host, port = site.url.split("//")[1].split(":")
    request = ("POST /v1/synchronousSign HTTP/1.1\r\nHost: %s\r\nX-API-KEY: %s\r\nContent-Type: application/json\r\n"
               "Content-Length: %d\r\n\r\n%s" % (host, api.tokens["KO"], len(body), body)).encode()
    assert asyncio.run(crowd(host, int(port), request)) == {("200", True): 2 * CLIENTS}
