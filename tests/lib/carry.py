"""What passes between two sites: pictures of QR codes, texts of scans and packages, through the
programs that people use for it (tsb, zbarimg, any HTTP client)."""
import os
import random
import struct
import subprocess
import zlib

from approver import unb64
from client import ApiError

PNG = b"\x89PNG\r\n\x1a\n"
PACKAGE = b"TSBPKG1 "
CONTENT_TYPE = "application/vnd.tsb.package"


# ---- pictures ----

def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def noise(png, rng=random):
    """A picture of the same size on which nothing is to be seen."""
    assert png.startswith(PNG)
    width, height = struct.unpack(">II", png[16:24])
    rows = b"".join(b"\0" + rng.randbytes((width + 7) // 8) for _ in range(height))
    return PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)) + \
        chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def scan(*pictures):
    """Texts that zbarimg reads, in the order of the files."""
    if not pictures:
        return []
    done = subprocess.run(["zbarimg", "-q", "--raw", "--nodbus", "-Sdisable",
                           "-Sqrcode.enable", *map(str, pictures)], stdout=subprocess.PIPE, timeout=300)
    return done.stdout.decode().splitlines()


def hang_up(pngs, folder, rng=random):
    """Files with the pictures, in no order; their paths by part."""
    folder.mkdir(exist_ok=True)
    names = ["%08x.png" % n for n in rng.sample(range(1 << 32), len(pngs))]
    paths = [folder / name for name in names]
    for path, png in zip(paths, pngs):
        path.write_bytes(png)
    return paths


# ---- from the online side ----

def get(online, path):
    response = online.api.send("GET", path, role="KO")
    if response.status_code != 200:
        raise ApiError(response)
    return response


def codes(online, rid, query=""):
    """PNGs of a request in the order of their parts."""
    response = get(online, "/v1/request/qrCode/" + rid + query)
    kind = response.headers["Content-Type"].split(";")[0]
    name = response.headers["Content-Disposition"]
    if kind == "image/png":
        assert name.startswith('attachment; filename="request-%s' % rid), name
        return [response.content]
    assert kind == "application/json"
    assert name == 'attachment; filename="request-%s.json"' % rid
    answer = response.json()
    assert set(answer) == {"id", "parts", "qrCodes"} and answer["id"] == rid
    assert answer["parts"] == len(answer["qrCodes"])
    return [unb64(text) for text in answer["qrCodes"]]


def package(online, rid):
    """The file that GET /v1/request/{id}/package gives."""
    response = get(online, "/v1/request/%s/package" % rid)
    assert response.headers["Content-Type"].split(";")[0] == CONTENT_TYPE
    assert response.content.startswith(PACKAGE)
    return response.content


# ---- back ----

def put(online, body, content_type="text/plain"):
    """The answer of PUT /v1/resultFromOfflineHsm to these bytes."""
    response = online.api.send("PUT", "/v1/resultFromOfflineHsm", raw=body, role="KO",
                               headers={"Content-Type": content_type})
    if response.status_code != 200:
        raise ApiError(response)
    return response.json()


# ---- what there is on either side ----

def dump(online):
    """All that the online side keeps."""
    done = subprocess.run(["mariadb-dump", "--no-defaults", "-S",
                           online.site.vars["TSB_DB_SOCKET"], "--skip-comments", "--skip-dump-date",
                           "--order-by-primary", "--skip-lock-tables", "tsb"],
                          stdout=subprocess.PIPE, check=True, timeout=60)
    return done.stdout


def files(*folders):
    """All files below the folders with what is in them."""
    out = {}
    for folder in folders:
        for top, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(top, name)
                with open(path, "rb") as f:
                    out[path] = f.read()
    return out


def room_files(room):
    """All that the offline side keeps: keys of the HSM, what the room has executed."""
    return files(room.site.dir / "hsm", room.folder)
