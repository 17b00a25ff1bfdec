"""What a running stack looks like from outside: the content of `.stack/stack.json`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Description:
    """DESIGN's list, word for word, since scripts and other projects' tests read it."""

    catalog_url: str
    purchases_url: str
    gateway_url: str
    pages_url: str
    issuer_url: str
    stripe_url: str
    mailbox_url: str
    kafka_bootstrap_servers: str
    broker: str
    database_urls: dict[str, str]
    stripe_secret_key: str
    stripe_webhook_secrets: list[str]
    processes: dict[str, int]

    def write(self, path: Path) -> None:
        """Readable by its owner only, since it has passwords; never half-written."""
        write_privately(path, json.dumps(asdict(self), indent=2) + "\n")


def read(path: Path) -> Description | None:
    """None where there is no stack, or a file that we cannot read as one."""
    try:
        return Description(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_privately(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
