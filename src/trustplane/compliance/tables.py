"""Rows of the compliance stage."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.tables import Base, Governed


class Report(Governed, Base):
    """A compliance report as it was made; its JSON and HTML forms are blobs under the key ``key_id``."""

    __tablename__ = "reports"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    evaluation_id: Mapped[str] = mapped_column(String(36))
    author_id: Mapped[str] = mapped_column(String(36))
    counts: Mapped[dict[str, Any]]  # findings by status
    json_blob: Mapped[str] = mapped_column(String(71))
    html_blob: Mapped[str] = mapped_column(String(71))
    key_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]
