"""Two requests with the same key and payload have one token here: whoever asks twice is told."""
import air


def test_equal_payloads_are_told_where_they_are_asked_for_and_where_they_are_executed(
        online, room, people, stick):
    here, there = online.tsb(stick), room.tsb(stick)
    label = air.offline_key(online, room, people())
    (stick / "order.txt").write_text("pay 100 to 4711\n")
    (stick / "other.txt").write_text("pay 100 to 4711, no 2\n")

    def sign(name):
        done = here("sign", label, name, "-a", "SHA256_WITH_ECDSA")
        rid = done.out.strip()
        online.approve(rid, people())
        return rid, done.err

    first, said = sign("order.txt")
    assert said == ""
    second, said = sign("order.txt")
    assert first in said and "same key and payload" in said and "approvals" in said
    _, said = sign("other.txt")
    assert said == ""
    for n, (rid, twin) in enumerate([(first, None), (second, first)]):
        here("offline", "export", rid, "-o", "out%d.tsbpkg" % n)
        done = there("offline", "run", "out%d.tsbpkg" % n, "-o", "back%d.tsbpkg" % n, "--yes")
        assert ("executed before" in done.err and "one token" in done.err) == (twin is not None)
        assert twin is None or twin in done.err
        here("offline", "import", "back%d.tsbpkg" % n)
        assert online.api.status_of(rid) == "EXECUTED"


def test_what_has_no_payload_is_not_compared(online, room, people):
    label = air.offline_key(online, room, people())
    body = {"blockRequest": {"blockKeyName": label}}
    for _ in range(2):
        assert set(online.api.post("/v1/block", body)) == {"blockKeyRequestId"}
