"""What proves an unwrap: attributes of a key that was made by it. Attestations outlive their keys."""
import pytest

import air
from cargo import Unwrap
from client import ApiError
from kinds import USAGE_FLAGS


def refused(online, load_, result, *words):
    with pytest.raises(ApiError) as refusal:
        online.put(load_.rid, result)
    assert refusal.value.code == 606, refusal.value
    for word in words:
        assert word in refusal.value.message, refusal.value
    assert load_.view()["status"] == "PENDING"


def test_an_unwrap_that_nobody_executed_is_not_proved_by_an_old_key(online, room, people):
    old = Unwrap(online, room, people.several(1)).ready()
    label, unwrapped_once = old.new, room.execute(online.carried(old.rid))["attributes"]
    room.api.call("DELETE", "/v1/key/" + label)
    room.site.forward(2)
    load_ = Unwrap(online, room, people.several(1))
    inner = {**load_.inner(), "label": label}
    (load_.rid,) = online.api.post(load_.path, {load_.envelope: inner}).values()
    load_.new = label
    online.approve(load_.rid, *load_.crowd)
    refused(online, load_, {"attributes": unwrapped_once}, "not newer than the request", label)
    # later, but made otherwise than by an unwrap
    for flags in ({"sign": True}, {"decrypt": True}):
        made = room.create_key(label, algorithm="AES", keySize=256,
                               attributes={**USAGE_FLAGS, **flags})
        refused(online, load_, {"attributes": air.attested(made)}, "another key", label)
        room.api.call("DELETE", "/v1/key/" + label)
    load_.check(online.put(load_.rid, room.execute(online.carried(load_.rid))))
    online.api.cancel(old.rid)


def test_a_pinned_hsm_attests_new_keys(room, people):
    """Nobody else vouches for them where no site is pinned: without attributes nothing is proved."""
    made = air.Online(pins=[pin for pin in room.pins() if pin[0] != "-O"])
    try:
        load_ = Unwrap(made, room, people.several(1)).ready()
        refused(made, load_, {}, "attributes are missing", load_.new)
        load_.check(made.put(load_.rid, room.execute(made.carried(load_.rid))))
    finally:
        made.down()
