"""Signing keys come from the vault as any other (RFC 8032, section 7.1, test 1)."""

from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.signing import public_bytes, signing_key


def test_the_published_vector():
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = signing_key(SecretKey("id", seed))
    assert public_bytes(key).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
