"""`make up`, `make down` and `status`, as a person uses them: never half a stack, and nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from sandbox.description import Description
from sandbox.ports import LOOPBACK, is_listening
from sandbox.processes import PREFERRED_PORTS
from sandbox.record import Known
from sandbox.state_files import StateFiles


class Sandbox:
    """The command line, on a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.files = StateFiles(directory)
        self.environment = {**os.environ, "SANDBOX_STATE": str(directory), "BROKER": "librdkafka"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "sandbox", *words]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, timeout=100, check=False
        )

    def up(self) -> "subprocess.CompletedProcess[str]":
        return self.run("up", "--without-services", "--without", "stripe")

    def start_up(self) -> "subprocess.Popen[str]":
        """`up` of everything, seen after its first processes were started and long before it is ready."""
        starting = subprocess.Popen(
            self.command("up"), env=self.environment, stdout=subprocess.PIPE, text=True, preexec_fn=listen_to_ctrl_c
        )
        until(lambda: len(self.everybody()) > 1)
        return starting

    def everybody(self) -> tuple[Known, ...]:
        return self.files.record().everybody()

    def description(self) -> Description:
        description = self.files.description()
        assert description is not None
        return description


def listen_to_ctrl_c() -> None:
    """Also where we ourselves do not: what a shell starts with `&` ignores it, and so would our children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def until(met: Callable[[], bool], within: float = 15) -> None:
    deadline = time.monotonic() + within
    while not met():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_service_that_ended_is_started_again_and_the_log_says_so(sandbox: "Sandbox") -> None:
    started = sandbox.run("up")
    assert started.returncode == 0, started.stderr
    before = sandbox.description().processes["notifier"]

    os.kill(before, signal.SIGKILL)

    until(lambda: sandbox.description().processes["notifier"] != before, within=60)
    assert "notifier had ended, and was started again" in sandbox.files.supervisor_log.read_text()
    assert sandbox.run("status").returncode == 0


def all_gone(processes: tuple[Known, ...]) -> bool:
    return not any(process.alive() for process in processes)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path / "state")
    yield sandbox
    sandbox.run("down")


def test_up_leaves_a_whole_stack_and_says_where_it_is(sandbox: Sandbox) -> None:
    done = sandbox.up()

    assert done.returncode == 0, done.stderr
    written = json.loads(sandbox.files.stack.read_text())
    assert set(written) == {field.name for field in fields(Description)}
    assert set(written["processes"]) == {"postgres", "kafka", "mailbox", "issuer"}
    assert all(process.alive() for process in sandbox.everybody())
    assert written["mailbox_url"] in done.stdout
    assert sandbox.run("status").returncode == 0


def test_a_second_up_leaves_a_running_stack_as_it_is(sandbox: Sandbox) -> None:
    sandbox.up()
    before = sandbox.description()

    done = sandbox.up()

    assert done.returncode == 0
    assert sandbox.description() == before


def test_down_leaves_nothing_behind(sandbox: Sandbox) -> None:
    sandbox.up()
    processes, record = sandbox.everybody(), sandbox.files.record()
    port = int(sandbox.description().mailbox_url.rpartition(":")[2])

    done = sandbox.run("down")

    assert done.returncode == 0
    assert all_gone(processes)
    assert not is_listening(port)
    assert not any(directory.exists() for directory in record.directories)
    assert not sandbox.files.stack.exists()
    assert sandbox.run("status").returncode == 1


def test_half_a_stack_is_ended_and_started_whole(sandbox: Sandbox) -> None:
    sandbox.up()
    before = sandbox.everybody()
    os.kill(sandbox.description().processes["mailbox"], signal.SIGKILL)
    until(lambda: sandbox.run("status").returncode == 2)

    done = sandbox.up()

    assert done.returncode == 0, done.stderr
    assert all_gone(before)
    assert all(process.alive() for process in sandbox.everybody())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_a_killed_supervisor_takes_its_children_with_it(sandbox: Sandbox) -> None:
    sandbox.up()
    processes, directories = sandbox.everybody(), sandbox.files.record().directories
    supervisor = next(process for process in processes if process.name == "supervisor")

    supervisor.send(signal.SIGKILL)

    until(lambda: all_gone(processes))
    assert sandbox.up().returncode == 0
    assert not any(directory.exists() for directory in directories)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_start_leaves_nothing_behind(sandbox: Sandbox, how: signal.Signals) -> None:
    starting = sandbox.start_up()
    processes = sandbox.everybody()

    starting.send_signal(how)
    starting.communicate(timeout=40)

    assert starting.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 130)
    until(lambda: all_gone(processes) and not sandbox.everybody())
    assert not sandbox.files.stack.exists()


def test_a_taken_port_is_avoided_and_named(sandbox: Sandbox) -> None:
    wanted = PREFERRED_PORTS["mailbox"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind((LOOPBACK, wanted))
            other.listen()
        except OSError:
            assert is_listening(wanted), "somebody else has it, which is as good"
        done = sandbox.up()

    assert done.returncode == 0, done.stderr
    assert f"mailbox {wanted} → " in done.stdout
    assert sandbox.description().mailbox_url != f"http://{LOOPBACK}:{wanted}"


def test_a_stale_record_harms_nobody(sandbox: Sandbox) -> None:
    """Its pid belongs to somebody else by now: to us."""
    me = psutil.Process()
    stale = [{"name": "kafka", "pid": me.pid, "created": me.create_time() - 3600}]
    sandbox.files.directory.mkdir(parents=True)
    sandbox.files.processes.write_text(json.dumps({"supervisor": None, "processes": stale, "directories": []}))
    sandbox.files.stack.write_text("{")

    assert sandbox.run("down").returncode == 0

    assert sandbox.up().returncode == 0
