"""The scan of logs finds each kind of what must not be in them, fails the run, and is not fooled by ids and times."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chassis.process.logs import without_secrets
from sandbox import places
from tests.log_scan import broken_by, leaks_in

PLANTED = {
    "a key": "sk_test_51AbCdEf",
    "a signing secret": "whsec_abcdef0123",
    "a client secret": "pi_3Abc_secret_Xyz12345",
    "a token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln",
    "a password": "postgresql://catalog:hunter2@db/catalog",
    "card data": 'cvc: "123"',
    "a card's number": "paid with 4242 4242 4242 4242 today",
    "a mail address": "to owner-1@acme.test",
    "a postal address": '{"line1": "Musterweg 1"}',
    "a body": '{"id": "evt_1", "object": "event"}',
}
HARMLESS = (
    "billing.stripe.events.v1/4@0",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "1796242042424242424 nanoseconds",
    "request req_4242424242424242",
    "purchase 4f2d4242-4242-4242-4242-424242424242",
)


def line(text: str) -> str:
    return json.dumps({"event": text, "service": "catalog"}, separators=(",", ":"))


@pytest.mark.parametrize("rule", PLANTED)
def test_what_was_planted_is_found_with_its_file_and_line(tmp_path: Path, rule: str) -> None:
    log = tmp_path / "planted"
    log.write_text(f"{line('started')}\n{line(PLANTED[rule])}\n")

    assert f"{log}:2: {rule}" in [str(leak) for leak in leaks_in(log)]


@pytest.mark.parametrize("text", HARMLESS)
def test_ids_and_times_are_no_cards_and_no_addresses(text: str) -> None:
    assert broken_by(line(text)) == []
    assert without_secrets(text) == text


@pytest.mark.parametrize("rule", sorted(PLANTED.keys() - {"a body", "a postal address", "card data"}))
def test_what_the_scan_finds_the_log_masks(rule: str) -> None:
    assert broken_by(line(without_secrets(PLANTED[rule]))) == []


@pytest.mark.parametrize(
    ("does", "where"),
    [
        (f"(tmp_path / 'catalog.log').write_text({line('to owner-1@acme.test')!r})", "catalog.log:1: a mail address"),
        ("print('[info     ] sold to=owner-1@acme.test')", "test_it.py::test_it:1: a mail address"),
    ],
    ids=["of a process", "printed in a test"],
)
def test_a_run_whose_tests_pass_fails_for_a_line_of_a_log(does: str, where: str) -> None:
    with TemporaryDirectory() as directory:  # not below this run's own, which is read, too
        (Path(directory) / "test_it.py").write_text(f"def test_it(tmp_path):\n    {does}\n")
        words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.log_scan", "--rootdir", directory]
        words += ["-c", "/dev/null", f"--basetemp={directory}/run", "-p", "no:cacheprovider", directory]

        run = subprocess.run(words, capture_output=True, text=True, cwd=places.checkout(), check=False)

    assert run.returncode == 1, run.stdout
    assert "1 passed" in run.stdout
    assert where in run.stdout
