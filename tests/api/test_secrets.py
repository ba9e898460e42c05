"""Key passwords of waiting requests: sealed in the database, never shown, erased at the end."""
import json
import time

import pytest

import kinds
from approver import b64
from client import ApiError

pytestmark = [pytest.mark.online_only("key passwords do not pass the gap: none is kept"),
              pytest.mark.nginx_only("the web server has no part in what the database keeps"),
              pytest.mark.plain_only("the same code with other keys")]

by_kind = pytest.mark.parametrize("kind", kinds.ALL, ids=repr)
PASSWORD = "Xk7-Zq9-\u00e4-Vw3"
# As it could stand in a table, a log line or an answer.
SPELLINGS = [PASSWORD, json.dumps(PASSWORD)[1:-1], json.dumps(list(PASSWORD)),
             json.dumps(list(PASSWORD), separators=(",", ":")), b64(PASSWORD.encode())]


@pytest.fixture
def case(api, people):
    def make(kind, **options):
        return kinds.Case(kind, api, people.several(3), password=PASSWORD, **options)
    return make


def box(site, rid):
    ((state, size),) = site.sql("SELECT state, LENGTH(password_box) FROM request WHERE id = "
                                "UNHEX('%s')" % rid.replace("-", ""))
    return state, int(size)


def everything_stored(site):
    """Each column of each table that holds texts or bytes."""
    return site.sql("SELECT table_name, column_name FROM information_schema.columns WHERE "
                    "table_schema = 'tsb' AND data_type REGEXP 'char|blob|text|binary'")


def found_in_database(site, spellings=SPELLINGS):
    columns = everything_stored(site)
    assert ["request", "password_box"] in columns and ["audit", "detail"] in columns
    tests = []
    for table, column in columns:
        hit = " OR ".join("LOCATE(X'%s', CAST(`%s` AS BINARY)) > 0" % (s.encode().hex(), column)
                          for s in spellings)
        tests.append("SELECT '%s.%s' FROM `%s` WHERE %s" % (table, column, table, hit))
    return site.sql(" UNION ".join(tests))


def found_in_logs(site):
    out = []
    for path in [*(site.dir / "log").glob("*.log"), *(site.dir / "db").glob("*.log")]:
        data = path.read_bytes()
        out += [path.name for s in SPELLINGS if s.encode() in data]
    return out


@by_kind
def test_password_stays_in_the_broker(api, site, case, kind):
    c = case(kind)
    given = PASSWORD if kinds.ALL.index(kind) % 2 else list(PASSWORD)
    for wrong in (None, PASSWORD[:-1], ""):
        body = c.body(**{kind.password_member: wrong})
        api.refused(620, "POST", kind.path, body)
    rid = c.ask(**{kind.password_member: given})
    state, size = box(site, rid)
    assert state == "PENDING" and size > len(PASSWORD.encode())
    for level in range(1, 7):
        response = api.send("POST", "/v1/filteredAllApprovalTask", {
            **c.crowd[0].proof(api.now()), "requestId": rid, "detailLevel": "level%d" % level})
        (task,) = response.json()["tasks"]
        assert not any(s in response.text for s in SPELLINGS)
    assert ["request.key_name"] in found_in_database(site, [c.label])   # it does find things
    assert task["requestBase64"] is None
    assert task[kind.shown][kind.envelope][kind.password_member] is None
    shown = task[kind.shown][kind.envelope]
    assert all(shown[k] == v for k, v in c.inner().items() if k != kind.password_member)
    assert found_in_database(site) == []

    c.approve_all(rid)
    view = api.wait(rid, "EXECUTED")
    assert box(site, rid) == ("EXECUTED", 0)
    assert PASSWORD not in json.dumps(view, ensure_ascii=False)
    assert found_in_database(site) == [] and found_in_logs(site) == []


def end_rejected(api, site, c, rid):
    for a in c.crowd[:2]:
        c.reject(a, rid)
    return "REJECTED"


def end_cancelled(api, site, c, rid):
    api.cancel(rid)
    return "CANCELLED"


def end_expired(api, site, c, rid):
    site.forward(601)
    api.status_of(rid)
    return "EXPIRED"


def end_expired_unseen(api, site, c, rid):
    """Nobody asks: the dispatcher cleans up."""
    site.forward(601)
    end = time.monotonic() + 10
    while box(site, rid)[0] == "PENDING" and time.monotonic() < end:
        time.sleep(0.1)
    return "EXPIRED"


def end_failed(api, site, c, rid):
    c.approve(c.crowd[0], rid)
    c.through(kinds.BLOCK)
    c.approve(c.crowd[1], rid)
    api.wait(rid, "FAILED")
    return "FAILED"


def end_of_the_key(api, site, c, rid):
    api.post("/v1/key/deleteKey", {"label": c.label, "password": PASSWORD})
    return "CANCELLED"


@pytest.mark.parametrize("end", [end_rejected, end_cancelled, end_expired, end_expired_unseen,
                                 end_failed, end_of_the_key], ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", [k for k in kinds.ALL if k.name in ("sign", "decrypt", "unwrap")],
                         ids=repr)
def test_password_is_erased_at_every_end(api, site, case, kind, end):
    c = case(kind, timeout=600)
    rid = c.ask()
    assert box(site, rid)[1] > 0
    state = end(api, site, c, rid)
    assert box(site, rid) == (state, 0)
    assert found_in_database(site) == [] and found_in_logs(site) == []


def test_refused_requests_leave_no_password(api, site, case):
    """Neither a request that is not recorded, nor the message that says why."""
    c = case(kinds.SIGN)
    for change in ({"signatureAlgorithm": "EDDSA"}, {"signKeyName": "absent-key"}, {"payload": "?"},
                   {"keyPassword": [PASSWORD]}, {"keyPassword": {"a": PASSWORD}}):
        with pytest.raises(ApiError) as refusal:
            c.ask(**change)
        assert PASSWORD not in refusal.value.message
    assert found_in_database(site) == [] and found_in_logs(site) == []
