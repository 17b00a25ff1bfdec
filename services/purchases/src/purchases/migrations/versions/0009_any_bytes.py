"""Any bytes can be set aside, and an id that comes again with another body is noticed."""

from chassis.database import message_path

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Know bodies by their digests; a place on a topic is not unique, since a topic can be made anew."""
    message_path.add_digests()


def downgrade() -> None:
    """Forget the digests."""
    message_path.drop_digests()
