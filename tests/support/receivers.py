"""Real receivers of notifications on loopback: an HTTP server that keeps requests, and a mail server."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


class HttpReceiver:
    """Keeps every POST. `status` is its answer; `delay` how long it takes (seconds); `before_answer` is
    called with each request before it is answered. It can be away: nobody listens then."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[Request] = []
        self.status = 204
        self.delay = 0.0
        self.location = ""
        self.before_answer: Callable[[Request], object] = lambda _: None
        self._server = self._listen(0)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/hook"

    @property
    def keys(self) -> list[str]:
        return [request.key for request in self.requests]

    def go_away(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def come_back(self) -> None:
        self._server = self._listen(self.port)

    def _listen(self, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        server.daemon_threads = True
        if self._tls is not None:
            server.socket = self._tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, body)
                receiver.requests.append(request)
                receiver.before_answer(request)
                time.sleep(receiver.delay)
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("location", receiver.location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                """Quiet."""

        return Handler


class MailServer:
    """Speaks as much of SMTP as a sender needs, and keeps the letters."""

    def __init__(self) -> None:
        self.letters: list[tuple[list[str], EmailMessage]] = []
        letters = self.letters

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                to: list[str] = []
                self._say("220 ready")
                while line := self.rfile.readline():
                    word = line.strip().split(b" ")[0].upper()
                    if word == b"DATA":
                        self._say("354 go on")
                        letters.append((to, self._letter()))
                        to = []
                    elif word == b"QUIT":
                        self._say("221 bye")
                        return
                    elif word == b"RCPT":
                        to.append(line.decode().partition("<")[2].partition(">")[0])
                    self._say("250 ok")

            def _letter(self) -> EmailMessage:
                lines: list[bytes] = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                letter = message_from_bytes(b"".join(lines), policy=policy.default)
                assert isinstance(letter, EmailMessage)
                return letter

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
