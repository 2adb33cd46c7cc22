"""A real nginx in a folder of its own, in front of an old and a new instance."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.servers import free_port, installed
from support.versions import Version, answers, wait_until

_CONFIGURATION = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 1;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream web_old {{ server 127.0.0.1:{old}; }}
    upstream web_new {{ server 127.0.0.1:{new}; }}
    include {folder}/rollway-*.conf;
    server {{
        listen 127.0.0.1:{port};
        location = /rollway {{ return 200 $web_told; }}
        location / {{ proxy_pass http://$web; }}
    }}
}}
"""
_NOBODY = 'split_clients "$http_user" $web { * web_old; }\nmap "" $web_told { default "0"; }\n'


class Nginx:
    """`port` takes users' requests, `file` is the split, `command` runs this nginx with more words."""

    def __init__(self, folder: Path, old: Version, new: Version) -> None:
        self.folder, self.port, self.file = folder, free_port(), folder / "rollway-web.conf"
        self.file.write_text(_NOBODY)
        user = "user root;" if os.geteuid() == 0 else ""
        text = _CONFIGURATION.format(folder=folder, port=self.port, old=old.port, new=new.port, user=user)
        (folder / "nginx.conf").write_text(text)
        self.command = [str(installed("nginx-light", "sbin/nginx")), "-c", str(folder / "nginx.conf")]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(self.port, 1).keys() & {"old", "new"})

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def nginx(folder: Path, old: Version, new: Version) -> Iterator[Nginx]:
    """nginx in front of both versions; nobody is served by the new one."""
    running = Nginx(folder, old, new)
    try:
        yield running
    finally:
        running.stop()
