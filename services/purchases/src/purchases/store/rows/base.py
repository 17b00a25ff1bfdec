"""What every table of this service's database shares."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Enum, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from purchases.domain.transitions import Status


class Row(DeclarativeBase):
    """Every table of this service's database."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid,
        dict[str, Any]: JSONB,
        list[str]: JSONB,
        Status: Enum(
            Status, native_enum=False, length=16, values_callable=lambda status: [one.value for one in status]
        ),
    }
