"""The epochs of this database, and up to where Kafka acknowledged its facts."""

from chassis.database import message_path

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create both; what was published before is not judged."""
    message_path.create_epochs()


def downgrade() -> None:
    """Drop both: a restored copy is not noticed any more."""
    message_path.drop_epochs()
