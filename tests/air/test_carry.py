"""Requests on their way out: QR codes, print sheets, animations and packages, each with what it must
say and nothing that it must not."""
import base64
import hashlib
import json
import re
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

import air
import carried
import carry
import cargo
from approver import b64, group, policy, quorum, rule, token, unb64
from cargo import Sign
from client import ApiError, unique
from private_site import ROOT

NOBODY = "0190a5e0-0000-7000-8000-000000000000"
CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
HOLDS = {"L": 2953, "M": 2331, "Q": 1663, "H": 1273}


def load(online, room, people, size=64, approvals=1):
    return Sign(online, room, people.several(approvals), size).ready()


def get(online, rid, query=""):
    return carry.get(online, "/v1/request/qrCode/%s%s" % (rid, query))


def refused(online, code, path, *words):
    online.api.refused(code, "GET", path, says=words, role="KO")


def qr_refused(online, code, rid, query, *words):
    refused(online, code, "/v1/request/qrCode/%s?%s" % (rid, query), *words)


def compact_of(online, rid):
    return carried.compact(online.carried(rid))


def scanned(stick, pngs):
    paths = [stick / ("%04d.png" % n) for n in range(len(pngs))]
    for path, png in zip(paths, pngs):
        path.write_bytes(png)
    return [line for path in paths for line in carry.scan(path)]


def width_of(png):
    return struct.unpack(">I", png[16:20])[0]


def unchanged_by(online, call):
    before = carry.dump(online)
    result = call()
    assert carry.dump(online) == before
    return result


# ---- one code ----

def test_one_code_is_the_compact_input(online, room, people, stick):
    load_ = load(online, room, people)
    response = unchanged_by(online, lambda: get(online, load_.rid))
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Disposition"] == \
        'attachment; filename="request-%s.png"' % load_.rid
    assert response.headers["Cache-Control"] == "no-store"
    assert scanned(stick, [response.content]) == [compact_of(online, load_.rid)]


@pytest.fixture(scope="module")
def blank(room, people, tmp_path_factory):
    """Whatever a key is called, one approver may approve for it."""
    path = tmp_path_factory.mktemp("blank") / "approver.pem"
    path.write_bytes(people("ed25519").pem())
    made_ = air.Online(pins=room.pins() + [("-R", path)])
    yield made_
    made_.down()


@pytest.mark.parametrize("ecc", "LMQH")
def test_one_code_as_long_as_it_fits(blank, people, stick, ecc):
    """The limit is that of the level: the last size that fits, and one that does not."""
    for size, one in ((HOLDS[ecc], True), (HOLDS[ecc] + 1, False), (HOLDS[ecc] + 2, False)):
        rid = request_of_length(blank, people("ed25519"), size)
        if rid is None:    # base64 comes in fours
            assert size != HOLDS[ecc]
            continue
        text = compact_of(blank, rid)
        assert len(text) == size
        codes = carry.codes(blank, rid, "?ecc=" + ecc)
        assert (len(codes) == 1) is one
        lines = scanned(stick, codes)
        if one:
            assert lines == [text]
        else:
            assert "".join(line.split("|", 5)[5] for line in lines) == text


def request_of_length(site, approver, size):
    """A request whose compact input has this length, by those of payload and label, or None."""
    for payload in range(size // 3):
        for label in range(1, 17):
            trial = carried.signing(approver, label="k" * label, payload=b"p" * payload)
            length = len(carried.compact(trial.input))
            if length < size - 40:
                break
            if length == size:
                rid = site.api.sign("k" * label, b"p" * payload)
                site.approve(rid, approver)
                return rid
    return None


def test_names_that_are_not_ascii_are_escaped(online, room, people, stick):
    label = "Schlüssel für 鍵 \"%s\" \U0001f511" % unique("")
    answer = room.create_key(label=label, policy=quorum(1, people()))
    online.import_key(answer)
    rid = online.api.sign(label, b"x")
    online.approve(rid, people())
    (line,) = scanned(stick, carry.codes(online, rid))
    assert line.isascii() and json.loads(line) == online.carried(rid)
    assert json.loads(line)["signRequest"]["signKeyName"] == label
    for form in ("svg", "html", "pdf-ready"):
        words = "".join(Page(get(online, rid, "?format=" + form).content).words)
        assert "".join(label.split()) in "".join(words.split()), form
    room.execute(json.loads(line))


# ---- parts ----

@pytest.mark.parametrize("ecc", "LMQH")
def test_numbered_parts(online, room, people, stick, ecc):
    load_ = load(online, room, people, 4000)
    response = get(online, load_.rid, "?ecc=" + ecc)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Disposition"] == \
        'attachment; filename="request-%s.json"' % load_.rid
    answer = response.json()
    lines = scanned(stick, [unb64(png) for png in answer["qrCodes"]])
    assert answer["id"] == load_.rid and answer["parts"] == len(lines) > 1
    text = compact_of(online, load_.rid)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    for k, line in enumerate(lines, 1):
        assert line.startswith("TSBQR1|%s|%d|%d|%s|" % (load_.rid, k, len(lines), digest))
        assert len(line) <= HOLDS[ecc] and len(line.split("|", 5)[5]) <= 1800
    assert "".join(line.split("|", 5)[5] for line in lines) == text


def test_one_part_alone(online, room, people, stick):
    load_ = load(online, room, people, 4000)
    codes = carry.codes(online, load_.rid, "?scale=3")
    for k, code in enumerate(codes, 1):
        assert carry.codes(online, load_.rid, "?scale=3&part=%d" % k) == [code]
    qr_refused(online, 600, load_.rid, "part=%d" % (len(codes) + 1), "part", str(len(codes)))
    for form in ("svg", "html", "pdf-ready", "ur"):
        qr_refused(online, 600, load_.rid, "part=1&format=" + form, "part", "png")


def test_parts_also_where_one_code_would_do(online, room, people, stick):
    load_ = load(online, room, people)
    for query in ("?text=parts", "?part=1", "?part=1&text=json"):
        (line,) = scanned(stick, carry.codes(online, load_.rid, query))
        assert line.startswith("TSBQR1|%s|1|1|" % load_.rid)
        assert line.split("|", 5)[5] == compact_of(online, load_.rid)


def test_pixels_of_a_module(online, room, people):
    load_ = load(online, room, people)
    (one,) = carry.codes(online, load_.rid, "?scale=1")
    modules = width_of(one)
    assert (modules - 8 - 17) % 4 == 0    # a version, and the quiet zone around it
    for scale in (2, 7, 32):
        (png,) = carry.codes(online, load_.rid, "?scale=%d" % scale)
        assert width_of(png) == scale * modules
    assert width_of(carry.codes(online, load_.rid, "?ecc=H")[0]) > 0


@pytest.mark.parametrize("query,name", [
    ("ecc=X", "ecc"), ("ecc=", "ecc"), ("ecc=l", "ecc"), ("scale=0", "scale"),
    ("scale=33", "scale"),
    ("scale=-1", "scale"), ("scale=1.5", "scale"), ("scale=", "scale"), ("scale=x", "scale"),
    ("format=pdf", "format"), ("format=PNG", "format"), ("format=", "format"), ("part=0", "part"),
    ("part=2", "part"), ("part=4097", "part"), ("part=x", "part"),
    ("part=99999999999999999999", "part"),
    ("text=xml", "text"), ("text=", "text"), ("format=ur&scale=9", "scale"),
    ("format=ur&text=parts", "text")])
def test_parameters_that_are_wrong_are_named(online, room, people, query, name):
    qr_refused(online, 600, shared(online, room, people).rid, query, name)


made = {}


def shared(online, room, people):
    if "load" not in made:
        made["load"] = load(online, room, people)
    return made["load"]


# ---- sheets ----

class Page(HTMLParser):
    """Elements and their attributes, and the text of a page."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("form,kind", [
    ("svg", "image/svg+xml"), ("html", "text/html; charset=utf-8"),
    ("pdf-ready", "text/html; charset=utf-8")])
def test_sheets_say_what_they_carry(online, room, people, form, kind):
    load_ = Sign(online, room, people.several(3), 64)
    load_.ask()
    online.approve(load_.rid, *people.several(2))
    response = get(online, load_.rid, "?format=" + form)
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Security-Policy"] == CSP
    assert response.headers["Content-Disposition"].startswith(
        'inline; filename="request-' + load_.rid)
    text = Page(response.content).text
    digest = hashlib.sha256(compact_of(online, load_.rid).encode()).hexdigest()
    payload = hashlib.sha256(load_.payload).hexdigest()
    assert load_.rid in text and load_.label in text and "sign" in text
    assert "2 of 3" in text and "not met" in text
    assert payload in text.replace(" ", "")
    assert all(digest[i:i + 8] in text.replace(" ", "") for i in range(0, 64, 8))    # in rows


@pytest.mark.parametrize("form", ["svg", "html"])
def test_sheets_show_what_is_signed_and_by_whom(online, room, people, form):
    """Payload, note, algorithm and names, to be compared with the screen in the room."""
    crowd = people.several(3)
    named = quorum(3, *crowd)
    (group_,) = named["ruleUse"]["tokens"][0]["groups"]
    for entry, name in zip(group_["approvals"], ("anna", "bert")):
        entry["name"] = name
    key = room.create_key(policy=named)
    online.import_key(key)
    note = b"invoice 4711"

    def sheet(payload):
        rid = online.api.sign(key["json"]["label"], payload, metaData=b64(note))
        online.approve(rid, *crowd)
        return "".join(Page(get(online, rid, "?format=" + form).content).text.split())

    def says(text, words):
        assert "".join(words.split()) in text, words    # a long line is broken anywhere

    text = sheet(b"pay 100 to 4711")
    says(text, '"pay 100 to 4711" (15 bytes)')
    says(text, '"invoice 4711" (12 bytes); no approval covers it')
    says(text, "SHA256_WITH_ECDSA (no approval covers it)")
    for name, approver in zip(("anna ", "bert ", ""), crowd):
        says(text, name + "SHA256:" + hashlib.sha256(approver.spki).hexdigest()[:32])
    words = re.findall(r'"([a-z]{4})"', (ROOT / "lib/qr/words.c").read_text())
    text = sheet(bytes(range(256)))
    says(text, "256 bytes, no text")
    says(text, " ".join(words[i] for i in hashlib.sha256(bytes(range(256))).digest()))
    text = sheet("\u20ac".encode() * 200)
    says(text, '"' + "\u20ac" * 80 + "... (600 bytes, of which this is the beginning)")


@pytest.mark.parametrize("form", ["svg", "html", "pdf-ready"])
def test_sheets_run_and_fetch_nothing(online, room, people, form):
    evil = '"><script>alert(1)<img src=x onerror=y>&amp;\'' + unique("")
    answer = room.create_key(label=evil, policy=quorum(1, people()))
    online.import_key(answer)
    rid = online.api.sign(evil, b"x")
    online.approve(rid, people())
    page = Page(get(online, rid, "?format=" + form).content)
    assert evil in "".join(page.words)
    for tag, attributes in page.elements:
        assert tag not in ("script", "iframe", "object", "embed", "link", "base",
                           "foreignobject"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href"):
                assert value.startswith(("data:", "#")), value


def test_sheets_of_several_codes(online, room, people):
    load_ = load(online, room, people, 6000)
    parts = len(carry.codes(online, load_.rid))
    assert parts > 4
    for form in ("svg", "html", "pdf-ready"):
        text = Page(get(online, load_.rid, "?format=" + form).content).text
        assert all(re.search(r"\b%d\b.{0,4}\b%d\b" % (k, parts), text) for k in range(1, parts + 1))


def test_animation(online, room, people):
    load_ = load(online, room, people, 2000)
    response = get(online, load_.rid, "?format=ur&scale=2")
    assert response.headers["Content-Type"] == "image/gif"
    assert response.content[:6] == b"GIF89a" and b"NETSCAPE2.0" in response.content


# ---- when there is nothing to be carried ----

def paths_of(rid):
    yield "/v1/request/qrCode/" + rid
    yield "/v1/request/%s/package" % rid


def test_what_cannot_be_carried(online, room, people):
    key = air.offline_key(online, room, *people.several(2))
    waits, cancelled, done = (online.api.sign(key) for _ in range(3))
    online.approve(cancelled, people())
    online.api.cancel(cancelled)
    online.approve(done, *people.several(2))
    online.put(done, room.execute(online.carried(done)))
    for rid, words in ((waits, ["no approval"]), (cancelled, ["CANCELLED"]), (done, ["EXECUTED"])):
        for path in paths_of(rid):
            refused(online, 611, path, rid, *words)
        online.api.refused(611, "POST", "/v1/package", {"requestIds": [rid]}, says=[rid, *words])
    for path in paths_of(NOBODY):
        refused(online, 651, path, NOBODY)
    for path in paths_of("no-uuid"):
        refused(online, 609, path)
    # a result that is fetched once stays for who fetches it
    assert online.api.get("/v1/request/%s?fetchOnce=true" % done)["result"]


def test_results_stay_for_whoever_fetches_them(room, people):
    """fetchResultOnce of the site: neither pictures nor results take it away."""
    made_ = air.Online(pins=room.pins(), settings="[general]\nfetchResultOnce = true\n")
    try:
        load_ = load(made_, room, people)
        result = room.execute(made_.carried(load_.rid))
        assert made_.put(load_.rid, result)["result"]
        for path in paths_of(load_.rid):
            refused(made_, 611, path)
        assert made_.put(load_.rid, result)["result"]
        assert made_.api.request(load_.rid)["result"] == result["signature"]
        assert made_.api.request(load_.rid)["result"] is None
        assert made_.put(load_.rid, result)["result"] is None
    finally:
        made_.down()


def test_online_brokers_carry_nothing(room):
    for path in paths_of(NOBODY):
        room.api.refused(611, "GET", path, says="profile online", role="KO")
    room.api.refused(611, "POST", "/v1/package", {}, says="profile online")


def test_only_key_operation_may(online, room, people):
    rid = shared(online, room, people).rid
    for role in ("KM", "AP", "SV", "AM", ""):
        for path in paths_of(rid):
            online.api.refused(631, "GET", path, role=role)
        online.api.refused(631, "POST", "/v1/package", {}, role=role)
        online.api.refused(631, "PUT", "/v1/resultFromOfflineHsm", {"id": rid}, role=role)


# ---- packages ----

def opened(online, room, text):
    """The content, when hash, signature and addresses are right."""
    assert text.endswith(b"}") and b"\n" not in text and text.isascii()
    content, signer, signature, signed = carried.open_package(text.decode())
    key = load_pem_public_key(online.public.read_bytes())
    key.verify(signature, signed)
    assert signer == content["from"]["key"] == fingerprint(online.public)
    assert content["to"]["key"] == fingerprint(room.public)
    assert content["tsbPackage"] == 1 and content["type"] == "requests"
    assert carried.compact(content) == signed.decode()
    return content


def fingerprint(path):
    der = base64.b64decode(b"".join(path.read_bytes().splitlines()[1:-1]))
    return hashlib.sha256(der).hexdigest()


def make(online, body=None):
    response = online.api.send("POST", "/v1/package", body)
    if response.status_code != 200:
        raise ApiError(response)
    assert response.headers["Content-Type"] == carry.CONTENT_TYPE
    assert response.headers["Content-Disposition"] == 'attachment; filename="requests.tsbpkg"'
    return response.content


def test_package_of_one_request(online, room, people):
    load_ = Sign(online, room, people.several(2), 100)
    body = {"signRequest": {**load_.inner(), "metaData": b64(b'{"for":"people"}')}}
    (load_.rid,) = online.api.post("/v1/sign", body).values()
    online.approve(load_.rid, *load_.crowd)
    path = "/v1/request/%s/package" % load_.rid
    response = unchanged_by(online, lambda: carry.get(online, path))
    assert response.headers["Content-Type"] == carry.CONTENT_TYPE
    assert response.headers["Content-Disposition"] == \
        'attachment; filename="request-%s.tsbpkg"' % load_.rid
    (item,) = opened(online, room, response.content)["items"]
    assert item["id"] == load_.rid and item["kind"] == "sign" and item["keyName"] == load_.label
    assert unb64(item["metaData"]) == b'{"for":"people"}'
    assert item["inputOfflineHsm"] == online.carried(load_.rid)
    assert item["created"].endswith("Z")
    load_.check(online.put(load_.rid, room.execute(item["inputOfflineHsm"])))


def test_named_requests_each_once_in_order(online, room, people):
    loads = [load(online, room, people) for _ in range(3)]
    rids = [load_.rid for load_ in loads]
    package = opened(online, room, make(online, {"requestIds": rids[2:] + rids[:2] + rids[:1]}))
    assert [item["id"] for item in package["items"]] == rids
    # what is named may go although approvals are missing: the HSM says so
    early = Sign(online, room, people.several(3), 64)
    early.ask()
    online.approve(early.rid, people())
    package = opened(online, room, make(online, {"requestIds": [early.rid]}))
    assert [item["id"] for item in package["items"]] == [early.rid]


@pytest.mark.parametrize("body,code", [
    ({"requestIds": []}, 600), ({"requestIds": "x"}, 600), ({"requestIds": [1]}, 600),
    ({"requestIds": ["x"]}, 609), ({"requestIds": [NOBODY]}, 651), ({"ids": []}, 600),
    ({"requestIds": [NOBODY] * 10001}, 600)])
def test_bodies_that_are_wrong(online, body, code):
    error = online.api.refused(code, "POST", "/v1/package", body)
    assert any(word in error["message"] for word in ("requestIds", NOBODY, "ids")), error


def test_all_that_is_ready(room, people):
    """Rule met; one approval where the rule is not known; none where none is asked; no more."""
    site = air.Online(pins=room.pins())
    try:
        site.believe(people(), people("p256", 1))
        with pytest.raises(ApiError) as refusal:
            make(site)
        assert refusal.value.code == 611
        met = load(site, room, people, approvals=2)
        short = Sign(site, room, people.several(2), 64)
        short.ask()
        site.approve(short.rid, people())
        free = free_key(site, room, people)
        unknown, silent = (site.api.sign(unique("unknown")) for _ in range(2))
        site.approve(unknown, people())
        gone = load(site, room, people)
        site.api.cancel(gone.rid)
        assert site.api.status_of(silent) == "PENDING"
        for body in (None, {}, {"requestIds": None}):
            ids = {item["id"] for item in opened(site, room, make(site, body))["items"]}
            assert ids == {met.rid, free, unknown}
        # the newest first
        ids = [item["id"] for item in opened(site, room, make(site))["items"]]
        assert ids == sorted(ids, reverse=True)
    finally:
        site.down()


def free_key(site, room, people):
    """A request on a key whose use needs no approval."""
    guard = rule(token(group(1, people())))
    answer = room.create_key(policy=policy(None, guard, guard, guard))
    site.import_key(answer)
    return site.api.sign(answer["json"]["label"])


def test_more_than_a_package_holds(room, people):
    """The newest 16 MiB; the log says that more are ready, and a named set must fit."""
    site = air.Online(pins=room.pins())
    try:
        site.believe(people())
        load_ = Sign(site, room, people.several(1), 65536)
        load_.ready()
        size = len(carry.package(site, load_.rid))
        more = 16 * 1024 * 1024 // size + 2
        rids = copies(site, load_.rid, more)
        items = opened(site, room, make(site))["items"]
        assert more - 3 <= len(items) < more
        assert {i["id"] for i in items} == set(sorted(rids + [load_.rid])[-len(items):])
        log = subprocess.run(["grep", "-rh", "more are ready", str(site.site.dir)], text=True,
                             stdout=subprocess.PIPE).stdout
        assert "package" in log
        site.api.refused(600, "POST", "/v1/package", {"requestIds": rids}, says="requestIds")
    finally:
        site.down()


def copies(site, rid, n):
    """More requests like this one, as the database has them."""
    made_ids = []
    source = "UNHEX('%s')" % rid.replace("-", "")
    columns = [row[0] for row in site.site.sql(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'tsb' AND "
        "table_name = 'request' AND column_name <> 'id' ORDER BY ordinal_position")]
    for k in range(n):
        new = "%012x70008000%012x" % (int(rid.replace("-", "")[:12], 16) + 1 + k, k)
        site.site.sql(
            "INSERT INTO request (id, %s) SELECT UNHEX('%s'), %s FROM request WHERE id = %s; "
            "UPDATE request SET created_ms = created_ms + %d WHERE id = UNHEX('%s'); "
            "INSERT INTO approval (request_id, approver_id, approves, spki, signed_approval, "
            "at_ms) SELECT UNHEX('%s'), approver_id, approves, spki, signed_approval, at_ms "
            "FROM approval WHERE request_id = %s;" % (
                ", ".join(columns), new, ", ".join(columns), source, k + 1, new, new, source))
        made_ids.append("-".join((new[:8], new[8:12], new[12:16], new[16:20], new[20:])))
    return made_ids


def test_without_keys_there_are_no_packages(room, people):
    """Codes and results in JSON do without."""
    site = air.Online(pins=[("-A", room.attestation)])
    try:
        load_ = load(site, room, people)
        site.api.refused(300, "GET", "/v1/request/%s/package" % load_.rid,
                         says="offlineSiteKeyFile")
        site.api.refused(300, "POST", "/v1/package", {}, says="offlineSiteKeyFile")
        assert carry.codes(site, load_.rid)
        load_.check(site.put(load_.rid, room.execute(site.carried(load_.rid))))
    finally:
        site.down()


def test_packages_while_approvals_come_in(online, room, people):
    """Each package is a state of its own: whole items, signed."""
    loads = [Sign(online, room, people.several(1), 64) for _ in range(10)]
    for load_ in loads:
        load_.ask()
    with ThreadPoolExecutor(8) as pool:
        votes = [pool.submit(online.approve, load_.rid, people()) for load_ in loads]
        packages = [pool.submit(make, online) for _ in range(10)]
        for vote in votes:
            vote.result()
        for package in packages:
            try:
                items = opened(online, room, package.result())["items"]
            except ApiError as none:
                assert none.code == 611
                continue
            assert all(i["inputOfflineHsm"]["signRequest"]["signedApprovals"] for i in items)
    rids = {i["id"] for i in opened(online, room, make(online))["items"]}
    assert {load_.rid for load_ in loads} <= rids


@pytest.mark.parametrize("kind", cargo.ALL, ids=lambda k: k.name)
def test_each_kind_is_an_item(online, room, people, kind):
    load_ = kind(online, room, people.several(2), 64).ready()
    (item,) = opened(online, room, carry.package(online, load_.rid))["items"]
    assert item["kind"] == kind.name and item["keyName"] == load_.label
    text = carried.compact(item["inputOfflineHsm"])
    assert item["inputOfflineHsm"] == online.carried(load_.rid) and "assword" not in text
