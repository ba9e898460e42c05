"""Requests of each kind go out and their results come back, by each way that people can carry
them."""
import random
import shutil

import pytest

import cargo
import carry
import ska
from approver import group, policy, rule, token
from cargo import SIZES, Block, Decrypt, Modify, Sign, Unblock
from tsb import run_on_terminal

NAMES = {kind.name: kind for kind in cargo.ALL}


def load(kind, online, room, people, size=64, approvals=1):
    return kind(online, room, people.several(approvals), size).ready()


def run(room, stick, *inputs, **options):
    """`tsb offline run` in the room; the results in every form that it writes."""
    shutil.rmtree(stick / "back", ignore_errors=True)
    return room.tsb(stick)("offline", "run", *inputs, "-o", "back.tsbpkg", "--qr", "back",
                           "--text", "back.txt", "--yes", timeout=300, **options)


# ---- by package ----

def matrix():
    for kind in cargo.ALL:
        for size in SIZES if kind.has_payload and kind is not Modify else [64]:
            for approvals in (1, 3, 10):
                yield kind.name, size, approvals
    for size in (2048, 65536):
        for approvals in (1, 3, 10):
            yield "modify", size, approvals


def rows(found):
    """The largest payloads are not for programs with sanitizers."""
    large = pytest.mark.plain_only("the same code as with 2048 bytes, for too long")
    for row in found:
        yield pytest.param(*row, marks=large if SIZES[-1] in row else ())


@pytest.mark.parametrize("name,size,approvals", rows(matrix()))
def test_by_package(online, room, people, stick, name, size, approvals):
    load_ = load(NAMES[name], online, room, people, size, approvals)
    online.tsb(stick)("offline", "export", load_.rid, "-o", "out.tsbpkg")
    room.tsb(stick)("offline", "run", "out.tsbpkg", "-o", "back.tsbpkg", "--yes")
    assert load_.happened()
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    load_.check()


def test_one_package_carries_all_that_is_ready(online, room, people, stick):
    loads = [load(kind, online, room, people, approvals=2) for kind in cargo.ALL]
    waits = Sign(online, room, people.several(2))
    waits.ask()
    online.approve(waits.rid, people("p256", 0))
    online.tsb(stick)("offline", "export", "-o", "out.tsbpkg")
    run(room, stick, "out.tsbpkg")
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    for load_ in loads:
        load_.check()
    waits.untouched()


# ---- by pictures ----

@pytest.mark.parametrize("name", [kind.name for kind in cargo.ALL])
def test_by_pictures(online, room, people, stick, name):
    """Each kind out and back by QR codes alone."""
    load_ = load(NAMES[name], online, room, people)
    carry.hang_up(carry.codes(online, load_.rid), stick / "out")
    run(room, stick, "out")
    assert load_.happened()
    online.tsb(stick)("offline", "import", "back")
    load_.check()


@pytest.mark.parametrize("name", [kind.name for kind in cargo.ALL])
def test_as_scanned_text(online, room, people, stick, name):
    """Scanners type: the room reads lines, and so does PUT /v1/resultFromOfflineHsm."""
    load_ = load(NAMES[name], online, room, people)
    paths = carry.hang_up(carry.codes(online, load_.rid, "?text=parts"), stick / "out")
    lines = carry.scan(*paths)
    assert all(line.startswith("TSBQR1|%s|" % load_.rid) for line in lines)
    random.shuffle(lines)
    (stick / "out.txt").write_text("".join(line + "\r\n" for line in lines))
    run(room, stick, "out.txt")
    assert load_.happened()
    back = (stick / "back.txt").read_text().splitlines()
    assert sorted(carry.scan(*sorted((stick / "back").glob("*.png")))) == sorted(back)
    random.shuffle(back)
    view = carry.put(online, "\n".join(back).encode())
    load_.check()
    if "status" in view:
        assert view == load_.view()


def spoil(paths, rng):
    """Noise over one of the pictures; the number of its part and the file."""
    k = rng.randrange(len(paths))
    paths[k].write_bytes(carry.noise(paths[k].read_bytes(), rng))
    assert not carry.scan(paths[k])
    return k + 1, paths[k]


def pictures():
    for size in SIZES:
        for approvals in (1, 3, 10):
            yield size, approvals


@pytest.mark.parametrize("size,approvals", rows(pictures()))
def test_pictures_shuffled_one_damaged_and_scanned_again(online, room, people, stick, size,
                                                         approvals):
    rng = random.Random(size * approvals)
    load_ = load(Sign, online, room, people, size, approvals)
    paths = carry.hang_up(carry.codes(online, load_.rid, "?text=parts"), stick / "out", rng)
    part, path = spoil(paths, rng)
    done = run(room, stick, "out", code=None)
    if len(paths) > 1:
        assert done.code == 8, done
        assert "parts %d of %d are missing" % (part, len(paths)) in done.err, done
    else:
        assert done.code != 0 and "no readable QR code" in done.err, done
    assert path.name in done.err and "Connection" not in done.err
    load_.untouched()
    assert not (stick / "back.tsbpkg").exists() and not (stick / "back").exists()
    (again,) = carry.codes(online, load_.rid, "?part=%d" % part)
    (stick / "again.png").write_bytes(again)
    run(room, stick, "out", "again.png")
    online.tsb(stick)("offline", "import", "back")
    load_.check()


@pytest.mark.parametrize("ecc", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("scale", [2, 8])
def test_error_levels_and_sizes_of_modules(online, room, people, stick, ecc, scale):
    load_ = load(Sign, online, room, people, 700)
    query = "?ecc=%s&scale=%d" % (ecc, scale)
    paths = carry.hang_up(carry.codes(online, load_.rid, query), stick / "out")
    run(room, stick, "out")
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    load_.check()
    assert (len(paths) == 1) == (ecc in "LM")


# ---- without the command line ----

def test_what_the_online_side_shows_is_what_the_hsm_takes(online, room, people):
    """A person may post inputOfflineHsm by hand and give back what the HSM answers, where the
    answer proves itself."""
    for kind in (Sign, Block, Unblock, Modify):
        load_ = load(kind, online, room, people, approvals=2)
        view = online.put(load_.rid, room.execute(online.carried(load_.rid)))
        assert view == load_.view()
        load_.check(view)


def test_a_package_by_http(online, room, people, stick):
    load_ = load(Decrypt, online, room, people, 2048)
    (stick / "out.tsbpkg").write_bytes(carry.package(online, load_.rid))
    run(room, stick, "out.tsbpkg")
    carry.put(online, (stick / "back.tsbpkg").read_bytes(), carry.CONTENT_TYPE)
    load_.check()


# ---- ways that meet ----

def test_two_ways_at_once_are_one_execution(online, room, people, stick):
    """The stick and the pictures both arrive: each request is executed once."""
    loads = [load(kind, online, room, people) for kind in cargo.ALL]
    folders = ["out%d" % i for i in range(len(loads))]
    online.tsb(stick)("offline", "export", *[load_.rid for load_ in loads], "-o", "out.tsbpkg")
    for folder, load_ in zip(folders, loads):
        carry.hang_up(carry.codes(online, load_.rid, "?text=parts"), stick / folder)
    run(room, stick, "out.tsbpkg", folders[0])
    once = carry.room_files(room)
    for folder in folders:
        run(room, stick, folder, "out.tsbpkg")
    assert carry.room_files(room) == once
    assert {load_.uses() for load_ in loads if load_.repeatable} == {1}
    for back in ("back.tsbpkg", "back", "back.txt", "back.tsbpkg"):
        online.tsb(stick)("offline", "import", back)
        for load_ in loads:
            load_.check()


def test_changes_of_one_key_and_their_results_in_any_order(online, room, people, stick):
    """Executed within a second of each other; the result that was first is imported last."""
    block = load(Block, online, room, people)
    rid = online.api.post("/v1/unblock", {"unblockRequest": {"unblockKeyName": block.label}})[
        "unblockKeyRequestId"]
    online.approve(rid, *block.crowd)
    for n, one in enumerate((block.rid, rid)):
        online.tsb(stick)("offline", "export", one, "-o", "out%d.tsbpkg" % n)
        room.tsb(stick)("offline", "run", "out%d.tsbpkg" % n, "-o", "back%d.tsbpkg" % n, "--yes")
    for n in (1, 0):
        online.tsb(stick)("offline", "import", "back%d.tsbpkg" % n)
    for one in (block.rid, rid):
        assert online.api.request(one)["status"] == "EXECUTED"
    assert not block.known_online()["policy"]["keyStatus"]["blocked"]
    assert not block.happened()
    online.api.sign(block.label)


def test_a_refusal_of_the_hsm_comes_back_with_its_reason(online, room, people, stick):
    """The key was deleted in the room; nobody told the online side."""
    load_ = load(Sign, online, room, people)
    room.api.call("DELETE", "/v1/key/" + load_.label)
    online.tsb(stick)("offline", "export", load_.rid, "-o", "out.tsbpkg")
    done = run(room, stick, "out.tsbpkg", code=4)
    assert "does not exist" in done.out
    online.tsb(stick)("offline", "import", "back.tsbpkg", code=None)
    view = load_.view()
    assert view["status"] == "FAILED" and view["executionTime"], view
    assert load_.label in view["result"] and "does not exist" in view["result"]
    online.tsb(stick)("offline", "import", "back", code=None)
    assert load_.view() == view


def test_what_the_hsm_would_refuse_is_left_to_a_person(online, room, people, stick):
    """The policy was changed in the room: --yes leaves the request as it is, a person may have
    the HSM say no."""
    load_ = load(Sign, online, room, people)
    wanted = policy(*[rule(token(group(1, people("p384", 0))))] * 4, blocked=None)
    approved = ska.Token(ska.MODIFY, load_.label, ska.policy_encode(wanted)).encode()
    room.api.post("/v1/synchronousModify", {"modifyRequest": {
        "modifyKeyName": load_.label, "policy": wanted,
        "signedApprovals": [people("p256", 0).signed_approval(approved)]}})
    online.tsb(stick)("offline", "export", load_.rid, "-o", "out.tsbpkg")
    done = run(room, stick, "out.tsbpkg", code=4)
    assert "the approvals do not suffice" in done.out and not (stick / "back.tsbpkg").exists()
    load_.untouched()
    code, shown, _ = run_on_terminal("offline", "run", stick / "out.tsbpkg", "-o",
                                     stick / "back.tsbpkg", answers=["y"], env=room.tsb(stick).env)
    assert code == 4 and load_.uses() == 0, shown
    online.tsb(stick)("offline", "import", "back.tsbpkg", code=None)
    view = load_.view()
    assert view["status"] == "FAILED" and "ruleUse" in view["result"], view
