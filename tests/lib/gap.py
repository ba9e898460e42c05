"""The API suite in the profile air-gapped: keys are made in an offline room and imported, and a courier
carries every request whose approvals suffice there and its result back, so that a test that waits for
EXECUTED waits for all of that."""
import json
import re
import threading

import air
from approver import unb64
from client import ApiError, Client, error_body
from tsb import Shell

TO_BE_CARRIED = "Execution shall be made with offline HSM"
# Paths whose place is where the keys are. The broker's own are for what it imported.
OF_THE_ROOM = re.compile(r"/v1/(key(?!/import/attributes)|importedKey|derivedKey|xpub|verify)(/|\Z)")
DELETES_A_KEY = re.compile(r"POST/v1/key/deleteKey\Z|DELETE/v1/key/[^/]+\Z")
MAKES_A_KEY = re.compile(r"/v1/(key|importedKey|derivedKey|key/import/plain)\Z")


class Gap:
    """An air-gapped site, an offline room, and the courier between them."""

    def __init__(self, keep=False, **options):
        self.room = air.Room(keep=keep)
        # Results are believed by their proof here; that packages are demanded is tested in tests/air.
        self.online = air.Online(pins=[("-A", self.room.attestation)], keep=keep, **options)
        self.site = self.online.site
        self.site.gap = self
        self.passwords = {}     # of keys: what a room's operator knows and a broker does not
        self.courier = Courier(self)
        self.courier.start()

    def by_hand(self, rid):
        """A request that the courier leaves alone, made a moment ago and waiting for approvals."""
        self.courier.left.add(rid)
        return rid

    def down(self):
        self.courier.stop()
        self.online.down()
        self.room.down()


class Courier(threading.Thread):
    def __init__(self, gap):
        super().__init__(daemon=True, name="courier")
        self.gap, self.api = gap, Client(gap.site)
        self.news, self.over = threading.Event(), False
        self.left = set()       # of tests that have ended
        self.refused = {}       # id: why the broker did not take its result
        self.carried = 0

    def stop(self):
        self.over = True
        self.news.set()
        self.join(30)

    def pending(self):
        answer = self.api.post("/v1/filteredRequests", {"requestStatusList": ["PENDING"]})
        return [r["id"] for r in answer["requests"] if r["id"] not in self.left]

    def forget(self):
        """A test is over: what it left behind is nobody's business any more."""
        self.left.update(self.pending())

    def run(self):
        while not self.over:
            self.news.wait(0.2)
            self.news.clear()
            try:
                for rid in self.pending():
                    self.look_at(rid)
            except (ApiError, AssertionError, OSError, ValueError) as failure:
                self.trouble = failure      # a test that takes the site down; the next round tells

    def look_at(self, rid):
        try:
            view = self.api.request(rid)
        except ApiError as gone:
            if gone.code != 651:
                raise
            return
        progress = view.get("approvalProgress")
        if "inputOfflineHsm" not in view or progress and not progress["met"]:
            return
        self.carry(rid, view["inputOfflineHsm"])

    def carry(self, rid, carried):
        (name, inner), = carried.items()
        label = inner[air.CARRIED[name][2]]
        if name == "unwrapKeyRequest":
            label = inner["unwrapKeyName"]
        password = self.gap.passwords.get(label)
        self.gap.room.site.catch_up(self.gap.site)
        result = self.gap.room.attempt(carried, password=password)
        response = self.api.send("PUT", "/v1/resultFromOfflineHsm", {"id": rid, **result})
        if response.status_code >= 300:
            self.refused[rid] = error_body(response)
            self.left.add(rid)
        self.carried += 1


class AirClient(Client):
    """What the tests of the API call: one client for both sides."""

    def __init__(self, gap):
        super().__init__(gap.site)
        self.gap, self.room = gap, gap.room.api

    def send(self, method, path, body=None, role=None, **options):
        if role is None and OF_THE_ROOM.match(path.split("?")[0]):
            self.gap.room.site.catch_up(self.gap.site)
            response = self.room.send(method, path, body, **options)
            if response.status_code < 300 and DELETES_A_KEY.match(method + path):
                # whoever deletes a key in the room says so online; it may never have been imported
                told = super().send(method, path, body, **options)
                assert told.status_code in (200, 404), told.text
            elif response.status_code < 300 and body is not None:
                self.key_changed(path, body, response)
        else:
            response = super().send(method, path, body, role=role, **options)
            if response.status_code < 300 and method != "GET":
                self.gap.courier.news.set()
        return response

    def key_changed(self, path, body, response):
        """A key was made or shown in the room: its attributes go online."""
        if path == "/v1/key/changePassword":
            self.gap.passwords[body["label"]] = body.get("newPassword")
        if not response.content or "xmlSignature" not in response.json():
            return
        answer = response.json()
        if MAKES_A_KEY.match(path) and body.get("password"):
            self.gap.passwords[answer["json"]["label"]] = body["password"]
        if MAKES_A_KEY.match(path):
            self.gap.room.site.forward(1)   # attributes of one second are not newer than each other
            self.gap.online.import_key(json.loads(response.content))

    def request(self, request_id):
        """As an application reads it that does not care where a request is executed."""
        view = super().request(request_id)
        if view["status"] == "PENDING":
            assert ("inputOfflineHsm" in view) == (view["result"] is not None), view
            assert view["result"] in (None, TO_BE_CARRIED), view
            view["result"] = None
        assert request_id not in self.gap.courier.refused, self.gap.courier.refused[request_id]
        return {k: v for k, v in view.items() if k not in ("inputOfflineHsm", "approvalProgress")}

    def at_once(self, request_id):
        """Nobody is asked, but it has to be carried."""
        return self.wait(request_id, "EXECUTED")

    def sign_now(self, key, payload=b"payload", algorithm="SHA256_WITH_ECDSA", approvals=(),
                 **members):
        """Nothing is synchronous across a gap: asked for, carried, and the broker checks the result."""
        assert not approvals
        rid = self.sign(key, payload, algorithm, **members)
        return unb64(self.wait(rid, "EXECUTED")["result"])


class AirShell(Shell):
    """The command line on either side: what needs the HSM runs in the room."""
    OF_THE_ROOM = {"key create", "key list", "key show", "key delete", "verify", "encrypt",
                   "wrap"}

    def __init__(self, gap, folder):
        super().__init__(gap.site, folder)
        self.gap, self.room = gap, Shell(gap.room.site, folder)

    def __call__(self, *args, **options):
        if not self.OF_THE_ROOM & {args[0], " ".join(map(str, args[:2]))}:
            done = super().__call__(*args, **options)
            self.gap.courier.news.set()
            return done
        done = self.room(*args, **options)
        if args[:2] == ("key", "create") and not options.get("code"):
            self.gap.room.site.forward(1)
            self.gap.online.import_key(self.gap.room.attributes(args[2]))
        return done
