"""Several servers of the database in the settings: here two ways to one, each of which can be stopped."""
import os
import selectors
import socket
import threading
import time

import pytest

from approver import Approver, quorum
from client import Client, unique
from private_site import Site


class Way:
    """A socket in front of the server. open passes on; hung lets in and says nothing; shut refuses."""

    def __init__(self, path):
        self.path, self.server, self.state = str(path), None, "open"
        self.listener = None
        self.set("open")

    def set(self, state):
        self.state = state
        if state == "shut" and self.listener:
            self.listener.close()
            os.unlink(self.path)
            self.listener = None
        elif state != "shut" and not self.listener:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.path)
            os.chmod(self.path, 0o777)
            self.listener.listen(100)
            threading.Thread(target=self.accept, args=[self.listener], daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.carry, args=[client], daemon=True).start()

    def carry(self, client):
        with client, socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as wait:
            while self.state == "hung":
                time.sleep(0.05)
            try:
                server.connect(self.server)
                wait.register(client, selectors.EVENT_READ, server)
                wait.register(server, selectors.EVENT_READ, client)
                while self.state != "shut":
                    for key, _ in wait.select(0.05) if self.state == "open" else []:
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        key.data.sendall(data)
                    if self.state == "hung":
                        time.sleep(0.05)
            except OSError:
                pass


class TwoWays(Site):
    def __init__(self, folder, home):
        folder.chmod(0o755)
        self.ways = [Way(folder / name) for name in ("home.sock", "other.sock")]
        self.ways[0].set(home)
        super().__init__(settings="[database]\ntimeout = 2\n" +
                         "".join("host = %s\n" % way.path for way in self.ways))

    def up(self):
        for way in self.ways:
            way.server = str(self.dir / "db" / "run" / "db.sock")
        super().up()


@pytest.fixture
def two_ways(tmp_path_factory):
    made = []

    def up(home):
        folder = tmp_path_factory.mktemp("ways")
        for parent in list(folder.parents)[:2]:
            parent.chmod(0o755)  # the programs run as another user
        made.append(TwoWays(folder, home))
        return made[0]

    yield up
    for site in made:
        site.down()


def execute(api, label, approver):
    rid = api.sign(label, b"x")
    api.approve(approver, rid)
    api.wait(rid, "EXECUTED", timeout=30)


def test_first_server_is_away_from_the_beginning(two_ways):
    api, approver, label = Client(two_ways("shut")), Approver(), unique()
    api.create_key(label, quorum(1, approver))
    execute(api, label, approver)


@pytest.mark.parametrize("state", ["shut", "hung"])
def test_first_server_goes_away(two_ways, state):
    """What was acknowledged is there, and callers get answers: at most two waits of two seconds."""
    site = two_ways("open")
    api, approver, label = Client(site), Approver(), unique()
    api.create_key(label, quorum(1, approver))
    execute(api, label, approver)
    rid = api.sign(label, b"before")
    site.ways[0].set(state)
    began = time.monotonic()
    assert api.request(rid)["status"] == "PENDING"
    assert time.monotonic() - began < 8
    api.approve(approver, rid)
    api.wait(rid, "EXECUTED", timeout=30)
    execute(api, label, approver)
