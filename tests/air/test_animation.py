"""Requests on a screen: the animation of GET /v1/request/qrCode/{id}?format=ur, and those of tsb
offline, seen by a camera that comes late and misses frames."""
import random
import re

import pytest

import cargo
import carry
from cargo import Sign

PART = re.compile(r"UR:BYTES/(?:(\d+)-(\d+)/)?[A-Z]+\Z")


def film(online, rid, query=""):
    response = carry.get(online, "/v1/request/qrCode/%s?format=ur%s" % (rid, query))
    assert response.headers["Content-Type"] == "image/gif"
    assert 'filename="request-%s.gif"' % rid in response.headers["Content-Disposition"]
    assert response.content.startswith(b"GIF89a") and b"NETSCAPE2.0" in response.content
    return response.content


def see(stick, gif):
    """Texts of its frames in order."""
    (stick / "request.gif").write_bytes(gif)
    return carry.scan(stick / "request.gif")


@pytest.mark.parametrize("kind", cargo.ALL, ids=lambda kind: kind.name)
def test_each_kind_by_animation(online, room, people, stick, kind):
    load = kind(online, room, people.several(1)).ready()
    (stick / "request.gif").write_bytes(film(online, load.rid))
    room.tsb(stick)("offline", "run", "request.gif", "-o", "back.tsbpkg", "--yes")
    assert load.happened()
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    load.check()


def test_packages_on_both_screens(online, room, people, stick):
    """Signed both ways, without a stick."""
    loads = [kind(online, room, people.several(1)).ready() for kind in (Sign, cargo.Decrypt)]
    online.tsb(stick)("offline", "export", *(load.rid for load in loads), "--animation", "out.gif")
    shown = room.tsb(stick)("offline", "show", "out.gif").out
    assert shown.count("its signature verifies") == 2, shown
    room.tsb(stick)("offline", "run", "out.gif", "--animation", "back.gif", "--yes")
    assert sorted(p.name for p in stick.iterdir()) == ["back.gif", "out.gif"]
    online.tsb(stick)("offline", "import", "back.gif")
    for load in loads:
        load.check()


def test_a_camera_that_misses_frames(online, room, people, stick):
    """
    Every fragment is shown, and half as many mixtures: some may be missed in the first round. What
    the mixtures make up for depends on the request; after a second round nothing is missing.
    """
    load = Sign(online, room, people.several(3), 4096).ready()
    lines = see(stick, film(online, load.rid))
    numbers = [PART.match(line).groups() for line in lines]
    count = int(numbers[0][1])
    assert numbers == [(str(i + 1), str(count)) for i in range(count + (count + 1) // 2)]
    rng = random.Random(7)
    seen = lines[count // 2:] + lines[:count // 2]
    missed = {line for line in seen if rng.random() < 0.1}
    rounds = [line for line in seen if line not in missed]
    rounds += [line for line in seen if line in missed or rng.random() > 0.1]
    (stick / "seen.txt").write_text("".join(line + "\n" for line in rounds))
    done = room.tsb(stick)("offline", "scan", "--device", "seen.txt", "-o", "scanned.txt")
    assert "have 100 %" in done.err, done
    room.tsb(stick)("offline", "run", "scanned.txt", "-o", "back.tsbpkg", "--yes")
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    load.check()


def test_the_id_travels(online, room, people, stick):
    """A bare code would not say which request it is."""
    first = Sign(online, room, people.several(1)).ready()
    (stick / "request.gif").write_bytes(film(online, first.rid))
    assert first.rid in room.tsb(stick)("offline", "show", "request.gif").out


def test_two_animations_at_once_are_refused(online, room, people, stick):
    loads = [Sign(online, room, people.several(1), 2048).ready() for _ in range(2)]
    lines = [see(stick, film(online, load.rid)) for load in loads]
    (stick / "mixed.txt").write_text("\n".join(lines[0][:2] + lines[1][2:]) + "\n")
    done = room.tsb(stick)("offline", "run", "mixed.txt", "-o", "back.tsbpkg", "--yes",
                           code=None)
    assert done.code != 0 and "another text" in done.err, done
    for load in loads:
        load.untouched()


@pytest.mark.parametrize("query", ["&scale=0", "&scale=9", "&part=1", "&text=parts"])
def test_what_an_animation_has_not(online, room, people, query):
    load = Sign(online, room, people.several(1)).ready()
    path = "/v1/request/qrCode/%s?format=ur%s" % (load.rid, query)
    response = online.api.send("GET", path, role="KO")
    assert response.status_code == 400 and response.json()["errorCode"] == 600
