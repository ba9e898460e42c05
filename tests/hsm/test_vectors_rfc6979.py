"""The examples of RFC 6979 (A.2.5 to A.2.7) with SHA-256, through tsb-hsm."""
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from approver import b64

USES = {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True}
# curve, private key, message, r, s
EXAMPLES = [
    (ec.SECP256R1, "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", b"sample",
     "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
     "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"),
    (ec.SECP256R1, "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", b"test",
     "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
     "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"),
    (ec.SECP384R1, "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
     "96D5724E4C70A825F872C9EA60D2EDF5", b"sample",
     "21B13D1E013C7FA1392D03C5F99AF8B30C570C6F98D4EA8E354B63A21D3DAA33"
     "BDE1E888E63355D92FA2B3C36D8FB2CD",
     "F3AA443FB107745BF4BD77CB3891674632068A10CA67E3D45DB2266FA7D1FEEB"
     "EFDC63ECCD1AC42EC0CB8668A4FA0AB0"),
    (ec.SECP521R1, "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75"
     "CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538", b"sample",
     "01511BB4D675114FE266FC4372B87682BAECC01D3CC62CF2303C92B3526012659D16876E25C7C1E5"
     "7648F23B73564D67F61C6F14D527D54972810421E7D87589E1A7",
     "004A171143A83163D6DF460AAF61522695F207A58B95C0644D87E52AA1A347916E4F7A72930B1BC0"
     "6DBE22CE3F58264AFD23704CBB63B29B931F7DE6C9D949A7ECFC"),
]


@pytest.mark.parametrize("n", range(len(EXAMPLES)))
def test_deterministic_signature(hsm, n):
    curve, private, message, r, s = EXAMPLES[n]
    pair = ec.derive_private_key(int(private, 16), curve())
    label = "example %d" % n
    hsm.call("POST", "/v1/key/import/plain", {
        "label": label, "algorithm": "EC", "attributes": USES,
        "privateKey": b64(pair.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())),
        "publicKey": b64(pair.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))})
    signature = hsm.sign(label, message, "SHA256_WITH_ECDSA_DETERMINISTIC")
    assert utils.decode_dss_signature(signature) == (int(r, 16), int(s, 16))
