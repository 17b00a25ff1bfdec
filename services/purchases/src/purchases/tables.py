"""What every table of this service's database shares."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from chassis.database.tables import inbox_table, outbox_table, parked_table, sent_facts_table


class Row(DeclarativeBase):
    """Every table of this service's database."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid,
        dict[str, Any]: JSONB,
        list[str]: JSONB,
    }


OUTBOX = outbox_table(Row.metadata)


SENT_FACTS = sent_facts_table(Row.metadata)


INBOX = inbox_table(Row.metadata)


PARKED = parked_table(Row.metadata)
