"""A port belongs to the process that took it, from the moment it is chosen until that process ends."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from examples.live.servers import ports
from examples.live.servers.ports import RANGE, NoFreePortError, Ports, free_port

ROOT = Path(__file__).parents[2]
FEW = range(RANGE.stop + 100, RANGE.stop + 140)
"""Beside those that every other test takes from."""
ANOTHER = """
import sys
from pathlib import Path
from examples.live.servers.ports import Ports
ports = Ports(Path(sys.argv[1]), range(int(sys.argv[2]), int(sys.argv[3])))
for _ in range(int(sys.argv[4])):
    print(ports.take(), flush=True)
sys.stdin.read()
"""


class Another:
    """A process that takes so many of the few ports, and keeps them until it is killed."""

    def __init__(self, register: Path, count: int) -> None:
        words = [str(word) for word in (register, FEW.start, FEW.stop, count)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", ANOTHER, *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.ports = [int(self._process.stdout.readline()) for _ in range(count)]

    def __enter__(self) -> Another:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def test_two_processes_never_get_the_same_port(tmp_path: Path) -> None:
    """Between them they get each port once, though nobody listens; a killed process has none any more."""
    ours = Ports(tmp_path / "register", FEW)
    free = [port for port in FEW if ports._is_free(port)]
    with Another(tmp_path / "register", 10) as first, Another(tmp_path / "register", 10) as second:
        got = [ours.take() for _ in free[20:]]
        assert sorted(first.ports + second.ports + got) == free
        with pytest.raises(NoFreePortError, match="no port from 32100 to 32139 is free"):
            ours.take()
    assert sorted(ours.take() for _ in free[:20]) == sorted(first.ports + second.ports)


def test_one_process_never_gets_the_same_port_twice(tmp_path: Path) -> None:
    """Not even where several of its threads ask at once."""
    ours, got = Ports(tmp_path / "register", FEW), list[int]()
    each = len([port for port in FEW if ports._is_free(port)]) // 4

    def take() -> None:
        got.extend(ours.take() for _ in range(each))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 4 * each


def test_a_child_that_ends_leaves_its_parents_ports_alone(tmp_path: Path) -> None:
    """It may even have the descriptor; when it closes it, the lock is still the parent's."""
    ours = Ports(tmp_path / "register", FEW)
    mine = ours.take()
    close = f"import os; os.close({ours._file})"
    subprocess.run([sys.executable, "-c", close], pass_fds=[ours._file], check=True)
    with Another(tmp_path / "register", 30) as another:
        assert mine not in another.ports


def test_a_port_on_which_somebody_listens_is_passed_over(tmp_path: Path) -> None:
    """Whoever it is, and whether or not they know of the register."""
    with socket.create_server(("127.0.0.1", free_port())) as somebody:
        port = somebody.getsockname()[1]
        with pytest.raises(NoFreePortError):
            Ports(tmp_path / "register", [port]).take()
    assert Ports(tmp_path / "other", [port]).take() == port


def test_no_connection_of_this_machine_is_given_such_a_port() -> None:
    """The kernel takes the near ends of connections from other ports."""
    file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not file.exists():
        pytest.skip("this system does not tell from which ports connections are made")
    assert int(file.read_text().split()[0]) > RANGE[-1]
