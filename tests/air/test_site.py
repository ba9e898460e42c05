"""The two sites themselves: what tools/site sets up for either side of the gap."""
import ska
from approver import quorum, verify
from client import public_key


def test_room_without_database_signs_with_approvals(room, people):
    crowd = people.several(2)
    answer = room.create_key(policy=quorum(2, *crowd))
    label = answer["json"]["label"]
    approved = ska.Token(ska.USE, label, b"by hand").encode()
    signature = room.api.sign_now(label, b"by hand",
                                  approvals=[a.signed_approval(approved) for a in crowd])
    assert verify(public_key(answer), "SHA-256", b"by hand", signature)
