"""Just enough of secp256k1 to check what no Debian Python library checks: recovery and BIP-340."""
import hashlib

P = 2 ** 256 - 2 ** 32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    out = None
    k %= N
    while k:
        if k & 1:
            out = add(out, point)
        point = add(point, point)
        k >>= 1
    return out


def lift(x, odd):
    """The point with this x and this parity of y, or None."""
    if x >= P:
        return None
    square = (pow(x, 3, P) + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return (x, y if y & 1 == odd else P - y)


def recover(digest, r, s, odd):
    """The public key of an ECDSA signature, as (x, y)."""
    point = lift(r, odd)
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest, "big")
    return add(multiply(s * inverse, point), multiply(-e * inverse, G))


def tagged(tag, data):
    h = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(h + h + data).digest()


def output_key(x_only: int, tweak=None, root=None) -> int:
    """What BIP-341 makes of a key: t added, or the hash of the key and the root of its scripts."""
    if root is not None:
        tweak = tagged("TapTweak", x_only.to_bytes(32, "big") + root)
    return add(lift(x_only, 0), multiply(int.from_bytes(tweak, "big"), G))[0]


def schnorr_valid(x_only: int, message: bytes, signature: bytes) -> bool:
    key = lift(x_only, 0)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if key is None or len(signature) != 64 or r >= P or s >= N:
        return False
    data = signature[:32] + x_only.to_bytes(32, "big") + message
    e = int.from_bytes(tagged("BIP0340/challenge", data), "big") % N
    point = add(multiply(s, G), multiply(-e, key))
    return point is not None and point[1] % 2 == 0 and point[0] == r
