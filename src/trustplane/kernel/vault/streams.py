"""Encrypted streams: AES-256-GCM in segments of 1 MiB, Tink's AES256_GCM_HKDF_1MB.

Each stream derives a key of its own from a random salt, so one key may encrypt many streams, and no segment can be cut, moved or dropped.
"""

import io
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, BinaryIO

from trustplane.kernel.vault.blobs import BlobStore, BlobWriter
from trustplane.kernel.vault.keys import SecretKey
from trustplane.values.digests import CHUNK, Digest
from trustplane.values.errors import Tampered, TrustplaneError, Unavailable


@cache
def _register() -> None:
    from tink import streaming_aead

    streaming_aead.register()


def _primitive(key: SecretKey) -> Any:
    from tink import cleartext_keyset_handle, streaming_aead
    from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

    _register()
    stream_key = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(
        version=0,
        params=aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
            ciphertext_segment_size=CHUNK, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
        ),
        key_value=key.material,
    )
    keyset = tink_pb2.Keyset(
        primary_key_id=1,
        key=[
            tink_pb2.Keyset.Key(
                key_data=tink_pb2.KeyData(
                    type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
                    value=stream_key.SerializeToString(),
                    key_material_type=tink_pb2.KeyData.SYMMETRIC,
                ),
                status=tink_pb2.ENABLED,
                key_id=1,
                output_prefix_type=tink_pb2.RAW,
            )
        ],
    )
    return cleartext_keyset_handle.from_keyset(keyset).primitive(streaming_aead.StreamingAead)


def encrypt(store: BlobStore, key: SecretKey, chunks: Iterable[bytes], context: bytes) -> tuple[Digest, int]:
    """Write ``chunks`` encrypted as one object; return its digest and size. Memory does not grow with the object."""
    from tink import TinkError

    with store.writer() as sink:
        outlet = _Outlet(sink)
        try:
            with _primitive(key).new_encrypting_stream(outlet, context) as out:
                for chunk in chunks:
                    out.write(chunk)
        except TinkError:
            if outlet.failed is not None:
                raise outlet.failed from None
            raise
        return sink.commit(), sink.size


def decrypt(store: BlobStore, key: SecretKey, digest: Digest, context: bytes) -> Iterator[bytes]:
    """The plaintext of an object in chunks of at most 1 MiB; raise :class:`Tampered` where a segment does not hold."""
    from tink import TinkError

    with store.open(digest) as source:
        inlet = _Inlet(source)
        stream = _primitive(key).new_decrypting_stream(inlet, context)
        while True:
            try:
                chunk = stream.read(CHUNK)
            except (TinkError, OSError):
                if inlet.failed is not None:
                    raise inlet.failed from None
                raise Tampered(
                    "TP-VAULT-014",
                    f"the object {digest} does not decrypt",
                    why="it was changed, or is not under this key",
                ) from None
            if not chunk:
                return
            yield chunk


class _Inlet(io.RawIOBase):
    """Hands a file to a library that would close it and would hide why it cannot be read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failed: TrustplaneError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except TrustplaneError as error:
            self.failed = error
            raise
        except OSError as error:
            self.failed = Unavailable("TP-VAULT-013", "the object cannot be read", why=error.strerror or "")
            raise
        buffer[: len(data)] = data
        return len(data)


class _Outlet(io.RawIOBase):
    """Hands a sink to a library that would close it and would hide why it cannot be written."""

    def __init__(self, sink: BlobWriter) -> None:
        self._sink = sink
        self.failed: TrustplaneError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            return self._sink.write(data)
        except TrustplaneError as error:
            self.failed = error
            raise
