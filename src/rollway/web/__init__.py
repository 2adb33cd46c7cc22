"""Pages, the JSON API and OFREP over HTTP: it shows what the use cases say and passes on what people say.
It decides nothing, and loads nothing from elsewhere."""

from rollway.web.server import create_app, make_server

__all__ = ["create_app", "make_server"]
