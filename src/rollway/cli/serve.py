"""serve: the page, the API, the flags and the engine in one process."""

from __future__ import annotations

import logging
import signal
import socket

import click

from rollway.cli.common import opened
from rollway.errors import TemporaryError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8100, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A host name under which browsers may reach it, besides localhost. May be repeated.",
)
@click.option("--worker", default="", help="Name of this worker, where several share a PostgreSQL database.")
@click.pass_context
def serve(ctx: click.Context, host: str, port: int, hosts: tuple[str, ...], worker: str) -> None:
    """Serve the page, the API and the flags (OFREP), and carry rollouts out. Ctrl-C stops it; rollouts wait
    in the database and go on where they were when it comes back."""
    from rollway.app.runtime import Runtime
    from rollway.web import create_app, make_server

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with opened(ctx) as rollway, _listen(host, port) as listener:
        runtime = Runtime(rollway, worker=worker)
        runtime.start()
        # The server ends in good order on these and raises them once more; then they are for nobody.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        try:
            app = create_app(rollway, runtime.book, runtime.wake, hosts=hosts)
            at = listener.getsockname()[1]
            click.echo(f"Rollway is at http://{host}:{at}  (data: {rollway.where})", err=True)
            make_server(app, host, at).run(sockets=[listener])
        finally:
            runtime.stop()


def _listen(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        told = (error.strerror or str(error)).partition(" (while")[0]
        hint = "give another port with --port"
        raise TemporaryError(f"cannot listen on {host}:{port}: {told}", hint=hint) from error
    # An answer leaves in two writes; on a kept connection the second would wait 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
