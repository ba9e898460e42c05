"""Two sites with an air gap between them.

room     (session) tests/lib/air.py Room: offline site with tsb-hsm, nginx and tsb-fcgi and no database;
         .api, .create_key(policy=...), .attributes(label), .execute(inputOfflineHsm), .attempt(...),
         .attestation, .public, .folder (for "tsb offline --room"), .tsb(folder)
online   (session) tests/lib/air.py Online: broker of the profile air-gapped that believes the room's
         attestation key and packages, as the room believes its packages; .api, .import_key(answer),
         .approve(rid, *approvers), .carried(rid), .put(rid, result), .believe(*approvers), .public
people   (session) people("p256", 0), people.several(3): approvers, made once a run
stick    an empty folder: all that the two sites may share

A whole way, in five lines:

    key = air.offline_key(online, room, *crowd, needed=2)      # made offline, attributes imported
    rid = online.api.sign(key, b"payload")
    online.approve(rid, *crowd[:2])
    result = room.execute(online.carried(rid))                 # {"signature": ...}
    online.put(rid, result)                                    # air.across(online, room, rid) does both

Needs TSB_BUILD, a build with --enable-test-hooks. TSB_TEST_KEEP leaves the sites' folders.
"""
import os

import pytest

import air
from people import People

KEEP = bool(os.environ.get("TSB_TEST_KEEP"))


@pytest.fixture(scope="session")
def room():
    made = air.Room(keep=KEEP)
    yield made
    made.down()


@pytest.fixture(scope="session")
def online(room):
    made = air.Online(pins=room.pins(), keep=KEEP)
    room.trust(made.public)
    yield made
    made.down()


@pytest.fixture(scope="session")
def people():
    return People()


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder
