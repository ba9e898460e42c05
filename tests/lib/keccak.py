"""Keccak with the padding of before FIPS 202, which no Debian Python library offers.

Checked in test_vectors.py: with the padding of FIPS 202 it equals hashlib's SHA-3.
"""

_ROTATION = ((0, 36, 3, 41, 18), (1, 44, 10, 45, 2), (62, 6, 43, 15, 61),
             (28, 55, 25, 21, 56), (27, 20, 39, 8, 14))
_MASK = (1 << 64) - 1


def _rol(x, n):
    return ((x << n) | (x >> (64 - n))) & _MASK if n else x


def _permute(a):
    lfsr = 1
    for _ in range(24):
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x - 1) % 5] ^ _rol(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = _rol(a[x][y], _ROTATION[x][y])
        a = [[b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y]) for y in range(5)]
             for x in range(5)]
        for j in range(7):
            if lfsr & 1:
                a[0][0] ^= 1 << ((1 << j) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
    return a


def keccak(bits: int, data: bytes, suffix: int = 0x01) -> bytes:
    """Digest of bits (224 to 512); suffix 0x06 gives SHA-3."""
    rate = 200 - bits // 4
    padded = bytearray(data) + bytes([suffix]) + bytes(-(len(data) + 1) % rate)
    padded[-1] |= 0x80
    state = [[0] * 5 for _ in range(5)]
    for block in range(0, len(padded), rate):
        for i in range(rate // 8):
            word = int.from_bytes(padded[block + 8 * i:block + 8 * i + 8], "little")
            state[i % 5][i // 5] ^= word
        state = _permute(state)
    out = b"".join(state[i % 5][i // 5].to_bytes(8, "little") for i in range(25))
    return out[:bits // 8]
