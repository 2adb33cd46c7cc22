"""HAProxy's runtime API: one command at a time over its socket, answers as text or as rows."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Mapping

from rollway.errors import TemporaryError

_LARGEST = 64 * 1024 * 1024


class Runtime:
    """The socket of a running HAProxy: a path, or `host:port` where it listens on TCP."""

    def __init__(self, address: str, timeout: float) -> None:
        """`timeout`: seconds for each command, connecting included."""
        self.address = address
        self._timeout = timeout

    def ask(self, command: str) -> str:
        """The answer to a command. Raises TemporaryError where HAProxy cannot be reached or says no."""
        answer = self._answer(command)
        if answer.startswith(("Unknown command", "Permission denied", "Can't find", "No such")):
            raise self._refusal(command, answer)
        return answer

    def tell(self, command: str) -> None:
        """A command that is answered with silence. Raises TemporaryError for any word of complaint."""
        answer = self.ask(command)
        if answer:
            raise self._refusal(command, answer)

    def _refusal(self, command: str, answer: str) -> TemporaryError:
        hint = "its stats socket needs `level admin`" if answer.startswith("Permission") else ""
        return TemporaryError(
            f"HAProxy at {self.address} refused `{command}`: {answer.splitlines()[0]}", hint=hint
        )

    def stats(self, backend: str) -> dict[str, Mapping[str, str]]:
        """Each server's row of `show stat`, by its name."""
        text = self.ask(f"show stat {backend} 4 -1").removeprefix("# ")
        return {row["svname"]: row for row in csv.DictReader(io.StringIO(text))}

    def states(self, backend: str) -> dict[str, Mapping[str, str]]:
        """Each server's row of `show servers state`, by its name."""
        lines = [line for line in self.ask(f"show servers state {backend}").splitlines() if line.strip()]
        if len(lines) < 2:
            raise TemporaryError(f"HAProxy at {self.address} knows no servers of backend {backend}")
        names = lines[1].removeprefix("# ").split()
        rows = [dict(zip(names, line.split(), strict=False)) for line in lines[2:]]
        return {row["srv_name"]: row for row in rows}

    def _answer(self, command: str) -> str:
        try:
            with self._connection() as link:
                link.sendall(command.encode() + b"\n")
                pieces = list[bytes]()
                while piece := link.recv(65_536):
                    pieces.append(piece)
                    if sum(map(len, pieces)) > _LARGEST:
                        raise TemporaryError(f"HAProxy at {self.address} does not stop answering `{command}`")
        except OSError as error:
            raise TemporaryError(
                f"HAProxy at {self.address} does not answer: {error}",
                hint="check `stats socket ... level admin` in its configuration, and who may open the socket",
            ) from error
        return b"".join(pieces).decode(errors="replace").strip()

    def _connection(self) -> socket.socket:
        host, colon, port = self.address.rpartition(":")
        if colon and port.isdigit() and "/" not in self.address:
            return socket.create_connection((host, int(port)), timeout=self._timeout)
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(self._timeout)
        try:
            link.connect(self.address)
        except OSError:
            link.close()
            raise
        return link
