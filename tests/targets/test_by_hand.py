"""Where no Rollway runs, the documented commands take traffic back, and a later Rollway sees it."""

from __future__ import annotations

import re
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from rollway.rollout.ports import Surroundings
from rollway.targets.envoy import EnvoyTarget
from rollway.targets.haproxy import HaproxyTarget
from rollway.targets.nginx import NginxTarget
from support.envoy import envoy
from support.haproxy import haproxy
from support.nginx import nginx
from support.versions import answers, versions

PAGE = (Path(__file__).parents[2] / "docs/targets.md").read_text(encoding="utf-8")
AROUND: Any = Surroundings(rollout="r", flags=None)  # type: ignore[arg-type]


def commands(which: str) -> list[str]:
    """The lines of the page's shell block that speak of this server."""
    section = PAGE.partition("## When no Rollway runs")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    (block,) = (one for one in blocks if which in one)
    return block.strip().splitlines()


def run(command: str) -> None:
    subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=20)


def asked(path: Path, words: str) -> str:
    """What HAProxy answers on its socket."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall(f"{words}\n".encode())
        told = b""
        while part := line.recv(65536):
            told += part
    return told.decode()


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_haproxy_serves_the_old_version_again_and_after_a_restart(tmp_path: Path, share: float) -> None:
    """Also from everyone, where the old server stands at weight 0; the state file has it too."""
    kept = tmp_path / "haproxy" / "state"
    lines = [re.match(r'echo "(.+?)" \| socat stdio \S+(?: > (\S+))?$', one) for one in commands("socat")]
    with versions("old1", "new1") as (old, new):
        given = {"backend": "web", "candidate": "new1", "baseline": "old1", "at_zero": "maint"}
        with haproxy(tmp_path, [("old1", old, 256), ("new1", new, 0)]) as balancer:
            kept = balancer.folder / "state"
            options = {**given, "socket": str(balancer.socket), "state_file": str(kept)}
            HaproxyTarget(options, AROUND).apply(share, fence=1)
            assert answers(balancer.port, 40)["new1"] >= 15
            for line in lines:
                assert line is not None
                told = asked(balancer.socket, line[1])
                if line[2]:
                    kept.write_text(told)
                else:
                    assert not told.strip(), told
            assert answers(balancer.port, 40) == {"old1": 40}
            balancer.stop()
            balancer.start()
            assert HaproxyTarget(options, AROUND).observe().share == 0
            assert answers(balancer.port, 40) == {"old1": 40}


def test_envoy_serves_the_old_version_again_by_its_file_and_by_its_admin_page(tmp_path: Path) -> None:
    """The file is taken up when it is moved; what the admin page says stands above it until it is cleared."""
    with versions("old", "new") as (old, new), envoy(tmp_path, old, new) as balancer:
        options = {"admin": balancer.admin, "file": str(balancer.file), "key": "rollway.web"}
        target = EnvoyTarget({**options, "candidate": "new", "baseline": "old"}, AROUND)
        target.apply(1.0, fence=1)
        assert answers(balancer.port, 20) == {"new": 20}
        said = re.search(r'curl -X POST "http://127.0.0.1:9901(/runtime_modify\S+=)0"', PAGE)
        assert said is not None
        change(f"{balancer.admin}{said[1]}0")
        assert answers(balancer.port, 20) == {"old": 20}
        assert target.observe().share == 0
        change(f"{balancer.admin}{said[1]}")
        assert answers(balancer.port, 20) == {"new": 20}
        for line in commands("/etc/envoy"):
            run(line.replace("/etc/envoy/rollway.json", str(balancer.file)))
        target._until(lambda: target.observe().share == 0, balancer.file, "")
        assert answers(balancer.port, 20) == {"old": 20}


def change(address: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=5) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_nginx_serves_the_old_version_again(tmp_path: Path, share: float) -> None:
    """Nobody has the new version, and the probe does not say otherwise."""
    with versions("old", "new") as (old, new), nginx(tmp_path, old, new) as balancer:
        options = {
            "file": str(balancer.file),
            "variable": "web",
            "key": "$http_user",
            "candidate": "web_new",
            "baseline": "web_old",
            "probe": f"http://127.0.0.1:{balancer.port}/rollway",
            "test": [*balancer.command, "-t"],
            "reload": [*balancer.command, "-s", "reload"],
        }
        target = NginxTarget(options, AROUND)
        target.apply(share, fence=1)
        edit, reload = commands("nginx -t")
        run(edit.replace("/etc/nginx/conf.d/rollway-web.conf", str(balancer.file)))
        run(reload.replace("nginx -", f"{' '.join(balancer.command)} -"))
        target._settled(3, (0, 0))
        assert target.observe().share == 0
        assert answers(balancer.port, 20) == {"old": 20}
