"""The servers that the examples stand on: HAProxy, nginx, Envoy and Prometheus, as they are installed.

Beside each of them lies the configuration that it runs with, as one would write it by hand. It names the
usual addresses; a run puts free ones in their place, and changes nothing else.
"""

from examples.live.servers.envoy import Envoy
from examples.live.servers.haproxy import Haproxy, HaproxyByTill
from examples.live.servers.nginx import Nginx, NginxByTill
from examples.live.servers.places import Places
from examples.live.servers.ports import free_port
from examples.live.servers.process import NotInstalledError, Process, installed, wait_until
from examples.live.servers.prometheus import Prometheus

__all__ = [
    "Envoy",
    "Haproxy",
    "HaproxyByTill",
    "Nginx",
    "NginxByTill",
    "NotInstalledError",
    "Places",
    "Process",
    "Prometheus",
    "free_port",
    "installed",
    "wait_until",
]
