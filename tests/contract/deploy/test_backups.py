"""What is backed up goes back further than a restore needs, and is never more than a minute behind."""

import re
from typing import Any, Final

import pytest

from tests.contract.deploy.workloads import PROTECTED, named
from tests.contract.sources import ROOT

RESTORE: Final = ROOT / "docs/runbooks/restore-a-backup.md"


@pytest.mark.parametrize("overlay", PROTECTED)
def test_backups_are_kept_for_longer_than_a_restored_ledger_asks_stripe_for(overlay: str) -> None:
    asked = [int(days) for days in re.findall(r"--since (\d+)d\b", RESTORE.read_text())]
    kept = re.fullmatch(r"(\d+)d", cluster(overlay)["backup"]["retentionPolicy"])

    assert asked
    assert kept
    assert int(kept[1]) > max(asked)


@pytest.mark.parametrize("overlay", PROTECTED)
def test_a_quiet_database_is_archived_every_minute(overlay: str) -> None:
    assert cluster(overlay)["postgresql"]["parameters"]["archive_timeout"] == "60s"


@pytest.mark.parametrize("overlay", PROTECTED)
def test_the_image_has_what_archives(overlay: str) -> None:
    """The `minimal` and `standard` images have no barman-cloud: every WAL file would stay, until the volume is full."""
    assert "barmanObjectStore" in cluster(overlay)["backup"]
    assert re.search(r":18[\d.]*-system-\w+(@sha256:\w+)?$", cluster(overlay)["imageName"])


def cluster(overlay: str) -> dict[str, Any]:
    found: dict[str, Any] = named(overlay, "Cluster", "postgres")["spec"]
    return found
