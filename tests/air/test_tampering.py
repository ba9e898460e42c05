"""What was cut, swapped, doubled, replayed or edited on its way is refused with a message that
names it, and neither side has changed."""
import base64
import hashlib
import json
import os
import random

import pytest

import air
import cargo
import carry
import ska
from approver import b64, unb64
from cargo import Block, Decrypt, Modify, Sign, Unblock, Unwrap
from client import ApiError


def load(kind, online, room, people, size=64, approvals=1):
    return kind(online, room, people.several(approvals), size).ready()


class Unchanged:
    """A dump of both sides before and after."""

    def __init__(self, online, room):
        self.online, self.room = online, room

    def __enter__(self):
        self.before = carry.dump(self.online), carry.room_files(self.room)

    def __exit__(self, kind, *_):
        if not kind:
            assert carry.dump(self.online) == self.before[0], "the online side has changed"
            assert carry.room_files(self.room) == self.before[1], "the room has changed"


@pytest.fixture
def unchanged(online, room):
    return Unchanged(online, room)


def refuses(done, *words, code=None):
    assert done.code != 0 if code is None else done.code == code, done
    for word in words:
        assert word.lower() in (done.out + done.err).lower(), done
    return done


@pytest.fixture
def show(room, stick):
    """Texts as a file to `tsb offline run`, which must refuse it and write nothing."""
    def refused(content, *words, code=None):
        (stick / "in.bin").write_bytes(content if isinstance(content, bytes) else
                                       "".join(line + "\n" for line in content).encode())
        done = room.tsb(stick)("offline", "run", "in.bin", "-o", "back.tsbpkg", "--qr", "back",
                               "--text", "back.txt", "--yes", code=None)
        assert not any((stick / name).exists() for name in ("back.tsbpkg", "back", "back.txt"))
        return refuses(done, *words, code=code)
    return refused


# ---- parts ----

def lines_of(online, load_):
    pngs = carry.codes(online, load_.rid, "?text=parts")
    return [line for png in pngs for line in carry.scan(*spread(online, png))]


def spread(online, png):
    path = online.site.hooks / "one.png"
    path.write_bytes(png)
    return [path]


@pytest.fixture(scope="module")
def parts(online, room, people):
    """The parts of one request, and of another one."""
    one, two = (load(Sign, online, room, people, 4000) for _ in range(2))
    return one, lines_of(online, one), two, lines_of(online, two)


def fields(line):
    return line.split("|", 5)


def test_parts_are_as_documented(parts):
    one, lines, _, _ = parts
    whole = "".join(fields(line)[5] for line in lines)
    assert len(lines) > 3
    for k, line in enumerate(lines, 1):
        mark, rid, number, count, digest, chunk = fields(line)
        assert (mark, rid, int(number), int(count)) == ("TSBQR1", one.rid, k, len(lines))
        assert len(chunk) <= 1800 and len(digest) == 8
    assert json.loads(whole) == one.view()["inputOfflineHsm"]


def test_missing_parts_are_named(parts, show, unchanged):
    _, lines, _, _ = parts
    with unchanged:
        show(lines[:1] + lines[2:], "missing", "2", code=8)
        show(lines[:1], "missing", "2 to %d" % len(lines), code=8)
        show(lines[1:] + lines[1:2], "missing", "1", code=8)


def edits(lines):
    """What can be done to parts: (lines, words of the message)."""
    a, b = fields(lines[0]), fields(lines[1])
    n = len(lines)
    yield "cut off", [lines[0][:-1], *lines[1:]], ["changed", "misread", "hash"]
    yield "chunks swapped", ["|".join(a[:5] + b[5:]), "|".join(b[:5] + a[5:]), *lines[2:]], []
    yield "one letter", [lines[0].replace(a[5], ("X" if a[5][0] != "X" else "Y") + a[5][1:]),
                         *lines[1:]], []
    yield "two contents of one part", [*lines, "|".join(a[:5] + [a[5][:-1] + "!"])], ["part 1"]
    yield ("another count", [lines[0], "|".join(b[:3] + [str(n + 1)] + b[4:]), *lines[2:]],
           ["part 2"])
    yield "number 0", ["|".join(a[:2] + ["0"] + a[3:]), *lines[1:]], ["0"]
    yield "number above", ["|".join(a[:2] + [str(n + 1)] + a[3:]), *lines[1:]], [str(n + 1)]
    yield "another hash", ["|".join(a[:4] + ["00000000", a[5]]), *lines[1:]], []
    yield "no number", ["|".join(a[:2] + ["x"] + a[3:]), *lines[1:]], []
    yield "no id", ["|".join(a[:1] + ["x"] + a[2:]), *lines[1:]], []
    yield "other form", ["TSBQR9" + lines[0][6:], *lines[1:]], ["line 1"]


@pytest.mark.parametrize("n", range(11))
def test_edited_parts(parts, show, unchanged, n):
    _, lines, _, _ = parts
    name, changed, words = list(edits(lines))[n]
    with unchanged:
        done = show(changed, *[w for w in words if name != "cut off"])
    assert name != "cut off" or any(w in done.err for w in words), done


def test_parts_of_two_requests_do_not_mix(parts, show, unchanged):
    one, lines, two, others = parts
    with unchanged:
        show(lines[:1] + others[1:])
        # the chunk of another request under this one's head
        a, b = fields(lines[0]), fields(others[0])
        show(["|".join(a[:5] + b[5:]), *lines[1:]])


def test_parts_twice_are_parts_once(parts, room, stick):
    one, lines, _, _ = parts
    (stick / "in.txt").write_text("\n".join(lines + lines[::-1]))
    shown = room.tsb(stick)("offline", "show", "in.txt")
    assert one.label in shown.out


# ---- packages of requests ----

@pytest.fixture(scope="module")
def package(online, room, people):
    load_ = load(Sign, online, room, people, 300)
    return load_, carry.package(online, load_.rid).rstrip(b"\n")


def test_every_byte_of_a_package_counts(package, show, unchanged):
    _, content = package
    rng = random.Random(1)
    head = len(b" ".join(content.split(b" ")[:4]))
    places = [0, 7, 8, 9, 71, 72, 73, 136, 137, 138, head - 2, head, head + 1, len(content) - 1]
    places += rng.sample(range(len(content)), 10)
    with unchanged:
        for place in places:
            changed = bytearray(content)
            changed[place] = 65 if changed[place] != 65 else 66
            show(bytes(changed))


def test_a_package_that_was_cut_or_prolonged(package, show, unchanged):
    _, content = package
    with unchanged:
        for n in (1, 7, 8, 80, 200, len(content) // 2, len(content) - 1):
            show(content[:n])
        show(content + b"x", "changed")
        show(content + content)


def repack(content, edit):
    """The content edited and hashed anew, with the old signature."""
    mark, _, signer, signature, body = content.split(b" ", 4)
    body = edit(body)
    return b" ".join([mark, hashlib.sha256(body).hexdigest().encode(), signer, signature, body])


def test_a_package_with_a_new_hash_and_the_old_signature(package, show, unchanged):
    load_, content = package
    with unchanged:
        show(repack(content, lambda body: body.replace(load_.label.encode(), b"other")),
             "signature")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory, room):
    """Another online site, and a room that the first one does not believe."""
    site = air.Online(pins=room.pins())
    yield site
    site.down()


def test_packages_of_sites_that_are_not_trusted(strangers, room, people, show, unchanged):
    theirs = load(Sign, strangers, room, people)
    with unchanged:
        show(carry.package(strangers, theirs.rid), "trust")


def test_packages_for_another_room(online, room, people, stick, unchanged):
    load_ = load(Sign, online, room, people)
    content = carry.package(online, load_.rid)
    with unchanged:
        folder = stick / "other-room"
        room.tsb(stick)("offline", "init", folder, "--site", "another room")
        room.tsb(stick)("offline", "trust", online.public, "--room", folder, "--yes")
        (stick / "in.tsbpkg").write_bytes(content)
        done = room.tsb(stick)("offline", "run", "in.tsbpkg", "--yes", "-o", "back.tsbpkg",
                               "--room", folder, code=None)
        refuses(done, "for")
        assert not (stick / "back.tsbpkg").exists()


def test_a_package_of_requests_is_none_of_results(package, online, stick, unchanged):
    _, content = package
    (stick / "in.tsbpkg").write_bytes(content)
    with unchanged:
        refuses(online.tsb(stick)("offline", "import", "in.tsbpkg", code=None))
        with pytest.raises(ApiError):
            carry.put(online, content, carry.CONTENT_TYPE)


# ---- approvals ----

def test_edited_requests_are_refused_by_the_hsm(online, room, people, unchanged):
    """What is bare is not signed as a whole: the approvals bind what counts."""
    load_ = load(Sign, online, room, people, approvals=2)
    other = load(Sign, online, room, people, approvals=2)
    carried = online.carried(load_.rid)
    inner = carried["signRequest"]
    with unchanged:
        for members in ({"payload": b64(b"another")}, {"signKeyName": other.label},
                        {"signedApprovals": inner["signedApprovals"][:1]},
                        {"signedApprovals": inner["signedApprovals"][:1] * 2},
                        {"signedApprovals": []},
                        {"signedApprovals": online.carried(other.rid)["signRequest"]
                                                  ["signedApprovals"]}):
            with pytest.raises(ApiError) as refusal:
                room.execute({"signRequest": {**inner, **members}})
            assert refusal.value.code == 701, refusal.value


# ---- results ----

def executed(kind, online, room, people, stick, **options):
    """A request that the room has executed; the package of its result, which is on its way."""
    load_ = load(kind, online, room, people, **options)
    online.tsb(stick)("offline", "export", load_.rid, "-o", load_.rid + ".out")
    room.tsb(stick)("offline", "run", load_.rid + ".out", "-o", load_.rid + ".back", "--yes")
    return load_, (stick / (load_.rid + ".back")).read_bytes().rstrip(b"\n")


def put_refused(online, body, *words, content_type="text/plain", codes=None):
    with pytest.raises(ApiError) as refusal:
        carry.put(online, body, content_type)
    for word in words:
        assert word.lower() in refusal.value.message.lower(), refusal.value
    assert not codes or refusal.value.code in codes, refusal.value


def test_edited_packages_of_results(online, room, people, stick, unchanged):
    load_, content = executed(Sign, online, room, people, stick)
    with unchanged:
        for place in random.Random(2).sample(range(len(content)), 25):
            changed = bytearray(content)
            changed[place] = 65 if changed[place] != 65 else 66
            put_refused(online, bytes(changed))
        for n in (1, 8, 100, len(content) - 1):
            put_refused(online, content[:n])
        put_refused(online, content + b"x")
        put_refused(online, repack(content, lambda body: body.replace(b"2", b"3")), "signature")
        (stick / "cut").write_bytes(content[:-9])
        refuses(online.tsb(stick)("offline", "import", "cut", code=None))
    online.tsb(stick)("offline", "import", load_.rid + ".back")
    load_.check()
    view = load_.view()
    with unchanged:  # the same once more
        online.tsb(stick)("offline", "import", load_.rid + ".back")
        carry.put(online, content, carry.CONTENT_TYPE)
    assert load_.view() == view


def test_results_of_a_room_that_is_not_believed(online, room, people, stick):
    """Its HSM did decrypt, and whoever is there may see that; online it is nobody's word."""
    load_ = load(Decrypt, online, room, people)
    folder = stick / "other-room"
    room.tsb(stick)("offline", "init", folder, "--site", "another room")
    room.tsb(stick)("offline", "trust", online.public, "--room", folder, "--yes")
    (stick / "in.json").write_text(json.dumps(load_.view()))
    room.tsb(stick)("offline", "run", "in.json", "--yes", "-o", "back.tsbpkg", "--room", folder)
    before = carry.dump(online)
    put_refused(online, (stick / "back.tsbpkg").read_bytes(), "not trusted")
    refuses(online.tsb(stick)("offline", "import", "back.tsbpkg", code=None))
    assert carry.dump(online) == before and load_.view()["status"] == "PENDING"


def test_edited_signatures(online, room, people, unchanged):
    load_, other = (load(Sign, online, room, people) for _ in range(2))
    good = unb64(room.execute(online.carried(load_.rid))["signature"])
    theirs = room.execute(online.carried(other.rid))["signature"]
    api = online.api
    with unchanged:
        for place in (0, 4, 10, len(good) - 1):
            bad = bytearray(good)
            bad[place] ^= 1
            api.refused(403, "PUT", "/v1/resultFromOfflineHsm",
                        {"id": load_.rid, "signature": b64(bytes(bad))}, says="signature")
        for wrong in (theirs, b64(good[:-1]), b64(good + b"\0"), b64(b"x")):
            api.refused(403, "PUT", "/v1/resultFromOfflineHsm",
                        {"id": load_.rid, "signature": wrong}, says="signature")
        for body in ({"id": load_.rid}, {"id": load_.rid, "signature": ""},
                     {"id": load_.rid, "signature": "%%%"}, {"signature": b64(good)},
                     {"id": load_.rid, "payload": b64(good)},
                     {"id": load_.rid, "signature": b64(good), "failed": "no"},
                     {"id": load_.rid, "signature": b64(good), "unknown": 1},
                     {"id": "x", "signature": b64(good)}):
            response = api.send("PUT", "/v1/resultFromOfflineHsm", body)
            assert response.status_code >= 400, (body, response.text)
        api.refused(651, "PUT", "/v1/resultFromOfflineHsm",
                    {"id": "0190a5e0-0000-7000-8000-000000000000", "signature": b64(good)})
    view = online.put(load_.rid, {"signature": b64(good)})
    load_.check(view)
    assert online.put(load_.rid, {"signature": b64(good)}) == view
    second = room.execute(online.carried(other.rid))
    again = room.api.sign_now(load_.label, load_.payload, approvals=approvals_of(load_))
    assert again != good    # ECDSA: another right signature is another result
    with unchanged:
        api.refused(611, "PUT", "/v1/resultFromOfflineHsm",
                    {"id": load_.rid, "signature": b64(again)}, says="result")
    assert online.put(other.rid, second)["status"] == "EXECUTED"


def approvals_of(load_):
    approved = ska.Token(ska.USE, load_.label, load_.payload).encode()
    return [a.signed_approval(approved) for a in load_.crowd]


def test_what_proves_nothing_is_not_believed(online, room, people, unchanged):
    """Plain texts, new keys and failures come in packages only: a bare object could be
    anybody's."""
    decrypt, unwrap, sign = (load(kind, online, room, people) for kind in (Decrypt, Unwrap, Sign))
    with unchanged:
        for load_, body in ((decrypt, {"payload": b64(b"made up")}), (unwrap, {}),
                            (sign, {"failed": "because", "errorCode": 650})):
            with pytest.raises(ApiError) as refusal:
                online.put(load_.rid, body)
            assert "package" in refusal.value.message, refusal.value


def test_changes_are_proved_by_newer_attributes(online, room, people, unchanged):
    loads = [load(kind, online, room, people) for kind in (Block, Unblock, Modify)]
    for load_ in loads:
        before = {"attributes": air.attested(load_.before)}
        result = room.execute(online.carried(load_.rid))
        good = result["attributes"]
        other = room.attributes(next(x for x in loads if x is not load_).label)
        signature = bytearray(unb64(good["xmlSignature"]))
        signature[20] ^= 1
        with unchanged:
            for wrong in ({}, before, {"attributes": air.attested(other)},
                          {"attributes": {**good, "xmlSignature": b64(bytes(signature))}},
                          {"attributes": {**good, "xml": good["xml"].replace("false", "true")}},
                          {"attributes": {**good, "xml": good["xml"].replace("true", "false")}}):
                if wrong.get("attributes") == good:
                    continue
                with pytest.raises(ApiError) as refusal:
                    online.put(load_.rid, wrong)
                assert any(word in refusal.value.message.lower() for word in
                           ("attribute", "signature", "xml")), refusal.value
        load_.check(online.put(load_.rid, result))


def test_results_do_not_change_their_request(online, room, people, stick, unchanged):
    """The result of one request under the id of another: in a package nobody can edit it, in a bare
    object it proves nothing."""
    one, two = (load(Block, online, room, people) for _ in range(2))
    result = room.execute(online.carried(one.rid))
    with unchanged, pytest.raises(ApiError):
        online.put(two.rid, result)
    one.check(online.put(one.rid, result))


# ---- replays ----

def test_a_request_twice_is_executed_once(online, room, people, stick):
    loads = [load(kind, online, room, people) for kind in cargo.ALL]
    there, here = room.tsb(stick), online.tsb(stick)
    here("offline", "export", *[load_.rid for load_ in loads], "-o", "out.tsbpkg")
    there("offline", "run", "out.tsbpkg", "-o", "back1.tsbpkg", "--yes")
    states = [load_.now() for load_ in loads]
    journal = carry.files(room.folder)
    there("offline", "run", "out.tsbpkg", "-o", "back2.tsbpkg", "--yes")
    for load_, state in zip(loads, states):
        now = load_.now()
        assert {k: v for k, v in now.items() if k != "attestTime"} == \
            {k: v for k, v in state.items() if k != "attestTime"}
    assert carry.files(room.folder) == journal
    here("offline", "import", "back2.tsbpkg")
    before = carry.dump(online)
    here("offline", "import", "back1.tsbpkg")
    assert carry.dump(online) == before
    for load_ in loads:
        load_.check()


def test_an_old_block_does_not_block_again(online, room, people, stick, unchanged):
    """Block, unblock, and the block's package once more."""
    block = load(Block, online, room, people)
    online.tsb(stick)("offline", "export", block.rid, "-o", "block.tsbpkg")
    room.tsb(stick)("offline", "run", "block.tsbpkg", "-o", "back.tsbpkg", "--yes")
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    rid = online.api.post("/v1/unblock", {"unblockRequest": {"unblockKeyName": block.label}})[
        "unblockKeyRequestId"]
    online.approve(rid, *block.crowd)
    online.put(rid, room.execute(online.carried(rid)))
    assert not block.happened()
    with unchanged:
        room.tsb(stick)("offline", "run", "block.tsbpkg", "-o", "again.tsbpkg", "--yes")
        assert not block.happened()
        online.tsb(stick)("offline", "import", "again.tsbpkg")
    assert not block.known_online()["policy"]["keyStatus"]["blocked"]


def test_older_attributes_do_not_replace_newer_ones(online, room, people, unchanged):
    load_ = load(Modify, online, room, people)
    load_.check(online.put(load_.rid, room.execute(online.carried(load_.rid))))
    with unchanged:
        with pytest.raises(ApiError) as refusal:
            online.import_key(load_.before)
        assert "older" in refusal.value.message or "newer" in refusal.value.message, refusal.value


def test_edited_attributes_are_not_imported(online, room, people, unchanged):
    answer = room.create_key()
    xml = answer["xml"]
    for members in ({"xml": xml.replace("false", "true", 1)}, {"xml": xml[:-1]},
                    {"xmlSignature": b64(os.urandom(256))}, {"xmlSignature": ""},
                    {"xml": base64.b64encode(xml.encode()).decode()}):
        with unchanged, pytest.raises(ApiError):
            online.import_key({**answer, **members})


def test_requests_that_are_over_take_no_results(online, room, people, unchanged):
    load_ = load(Sign, online, room, people)
    result = room.execute(online.carried(load_.rid))
    online.api.cancel(load_.rid)
    with unchanged:
        online.api.refused(611, "PUT", "/v1/resultFromOfflineHsm", {"id": load_.rid, **result},
                           says="cancelled")
