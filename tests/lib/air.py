"""Both sides of an air gap, for tests: a broker of the profile air-gapped, and an offline room with the HSM.
They share nothing; whatever passes from one to the other passes through a test's hands."""
import contextlib
import pathlib
import subprocess

from approver import Approver, quorum, unb64
from client import ApiError, Client, public_key, unique
from private_site import Site
from tsb import Shell

# The one member of inputOfflineHsm: where it is posted, what the answer goes by, where the key's name is.
CARRIED = {
    "signRequest": ("/v1/synchronousSign", "signature", "signKeyName"),
    "decryptRequest": ("/v1/synchronousDecrypt", "payload", "decryptKeyName"),
    "unwrapKeyRequest": ("/v1/synchronousUnwrap", None, "label"),
    "blockRequest": ("/v1/synchronousBlock", None, "blockKeyName"),
    "unblockRequest": ("/v1/synchronousUnblock", None, "unblockKeyName"),
    "modifyRequest": ("/v1/synchronousModify", None, "modifyKeyName"),
}
ATTESTED = ("xml", "xmlSignature", "attestationKeyName")


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def new_site_key(folder):
    """site.key and site.pub in folder: what "tsb offline init" and tools/site make."""
    openssl("genpkey", "-algorithm", "ed25519", "-out", folder / "site.key")
    (folder / "site.key").chmod(0o600)
    openssl("pkey", "-in", folder / "site.key", "-pubout", "-out", folder / "site.pub")


def attested(answer):
    """What a result and an import carry of the answer of /v1/key/attributes."""
    return {name: answer[name] for name in ATTESTED}


class Room:
    """The offline side: tsb-hsm and tsb-fcgi, by default without a database.

    api          client of its broker
    attestation  PEM file of the public key that its HSM signs key attributes with
    folder       of `tsb offline` (--room): site.key, site.pub, name, peers/, done/
    public       PEM file of the public key that its packages are signed with
    """

    def __init__(self, database=False, **options):
        self.site = Site(database=database, **options)
        self.api = Client(self.site)
        self.attestation = pathlib.Path(self.site.vars["TSB_ATTESTATION_KEY"])
        self.folder = self.site.hooks / "room"
        self.folder.mkdir(mode=0o700)
        new_site_key(self.folder)
        (self.folder / "name").write_text("the room\n")
        for name in ("peers", "done"):
            (self.folder / name).mkdir(mode=0o700)
        self.public = self.folder / "site.pub"

    def down(self):
        self.site.down()

    def trust(self, public, name="online"):
        """Packages of the site with this public key are read from now on."""
        (self.folder / "peers" / (name + ".pub")).write_bytes(pathlib.Path(public).read_bytes())

    def pins(self):
        """What an air-gapped site is to believe of this room; see private_site.Site."""
        return [("-A", self.attestation), ("-O", self.public)]

    def tsb(self, folder):
        """The command line in that folder, with this room as the default one."""
        shell = Shell(self.site, folder)
        shell.env["TSB_OFFLINE_ROOM"] = str(self.folder)
        return shell

    def create_key(self, label=None, policy=None, **members):
        """The answer with the attributes that its HSM signed; members like those of Client.create_key()."""
        return self.api.create_key(label or unique("offline"), policy, **members)

    def attributes(self, label, password=None):
        return self.api.attributes(label, password)

    def execute(self, carried, password=None):
        """Posts inputOfflineHsm; the result without id: {"signature"}, {"payload"} or
        {"attributes"}; ApiError when the HSM refuses."""
        (name, inner), = carried.items()
        path, member, key = CARRIED[name]
        if password:
            field = "unwrapKeyPassword" if name == "unwrapKeyRequest" else "keyPassword"
            carried = {name: {**inner, field: password}}
        answer = self.api.post(path, carried)
        if member:
            return {member: answer[member]}
        self.site.forward(1)    # attributes of one second are not newer than each other
        new = inner.get("password") if name == "unwrapKeyRequest" else password
        return {"attributes": attested(self.attributes(inner[key], new))}

    def attempt(self, carried, **options):
        """The same, with a refusal as the result that tells of it."""
        try:
            return self.execute(carried, **options)
        except ApiError as refusal:
            return {"failed": refusal.message, "errorCode": refusal.code}


class Online:
    """The side with the network: broker of the profile air-gapped, without any HSM.

    api     client of it
    public  PEM file of the public key that its packages are signed with
    """

    def __init__(self, pins=(), **options):
        self.site = Site(profile="air-gapped", pins=pins, **options)
        self.api = Client(self.site)
        self.public = pathlib.Path(self.site.vars["TSB_SITE_KEY"])

    def down(self):
        self.site.down()

    def tsb(self, folder):
        return Shell(self.site, folder)

    def believe(self, *approvers):
        """They get the tasks of keys whose attributes were never imported."""
        for n, approver in enumerate(approvers):
            path = self.site.hooks / ("believed-%s-%d.pem" % (approver.name, n))
            path.write_bytes(approver.pem())
            self.site.pin(("-R", path))

    def import_key(self, answer):
        """answer: of /v1/key/attributes or of the creation of a key, in the room."""
        return self.api.post("/v1/key/import/attributes", answer)

    def approve(self, rid, *approvers, kind="All"):
        for approver in approvers:
            self.api.approve(approver, rid, kind)

    def carried(self, rid):
        """inputOfflineHsm of a request that is ready to be carried."""
        view = self.api.request(rid)
        assert view["status"] == "PENDING", view
        assert view["result"] == "Execution shall be made with offline HSM", view
        return view["inputOfflineHsm"]

    def put(self, rid, result):
        """A result of Room.execute() comes back; the view of the request."""
        return self.api.call("PUT", "/v1/resultFromOfflineHsm", {"id": rid, **result})


@contextlib.contextmanager
def two_sites(room=None, **options):
    """(online, room), both new and for this use only; room: options of Room, options: of Online."""
    made = Room(**(room or {}))
    try:
        online = Online(pins=made.pins(), **options)
        try:
            made.trust(online.public)
            yield online, made
        finally:
            online.down()
    finally:
        made.down()


def offline_key(online, room, *approvers, needed=None, **members):
    """A key in the room with a rule of use for these approvers, known online; its name."""
    answer = room.create_key(policy=quorum(needed or len(approvers), *approvers), **members)
    online.import_key(answer)
    return answer["json"]["label"]


def across(online, room, rid, **options):
    """Out, executed, and back in; the view of the request."""
    return online.put(rid, room.attempt(online.carried(rid), **options))


__all__ = ["Approver", "Online", "Room", "across", "attested", "new_site_key", "offline_key",
           "public_key", "two_sites", "unb64"]
