"""Rows of the vault: wrapped keys, and the blobs that they encrypt."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.store.base import Base, Governed


class VaultKey(Governed, Base):
    """A key, wrapped by its parent or, where it has none, by the root in the key store. ``wrapped`` is gone once it is destroyed."""

    __tablename__ = "vault_keys"
    __table_args__ = (Index("ix_vault_keys_subject", "subject"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(String(36))
    root_id: Mapped[str | None] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(32))
    project_id: Mapped[str | None] = mapped_column(String(36), index=True)
    subject: Mapped[str] = mapped_column(String(100))
    sensitivity: Mapped[str | None] = mapped_column(String(32))
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    created: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


class VaultBlob(Governed, Base):
    """An encrypted object. ``digest`` is of the ciphertext: a digest of the plaintext would let a small secret be guessed."""

    __tablename__ = "vault_blobs"

    digest: Mapped[str] = mapped_column(String(71), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(100), index=True)
    created: Mapped[datetime]
