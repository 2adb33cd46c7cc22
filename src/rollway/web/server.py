"""The web application: pages, API and flags in one, and the server that runs it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from rollway import __version__
from rollway.app import Rollway
from rollway.flags import FlagBook
from rollway.web.api import api_routes
from rollway.web.feed import feed_routes
from rollway.web.live import LivePages
from rollway.web.ofrep import ofrep_routes
from rollway.web.pages import page_routes
from rollway.web.problems import handle_errors
from rollway.web.push import push_routes
from rollway.web.security import FormTokens, Guarded

if TYPE_CHECKING:
    import uvicorn

STATIC = Path(__file__).parent / "static"


def create_app(
    rollway: Rollway, book: FlagBook, wake: Callable[[], None], *, hosts: Iterable[str] = ()
) -> FastAPI:
    """The application. `wake` makes the engine look at once; `hosts` are names under which browsers may
    reach it besides localhost (addresses always do)."""
    app = FastAPI(
        title="Rollway",
        version=__version__,
        docs_url=None,  # would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    live = LivePages(rollway)
    app.state.endings = (live.stop, book.close)
    app.include_router(page_routes(rollway, live, FormTokens(), wake))
    app.include_router(api_routes(rollway, wake))
    app.include_router(push_routes(rollway))
    app.include_router(feed_routes(rollway))
    app.router.routes.extend(ofrep_routes(book))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guarded, hosts=tuple(hosts))
    handle_errors(app)
    return app


def make_server(app: FastAPI, host: str, port: int) -> uvicorn.Server:
    """A server that ends its open streams first when it is asked to stop. `run()` blocks until then."""
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for end in app.state.endings:
                end()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", server_header=False, timeout_graceful_shutdown=5
    )
    return Server(config)
