"""OFREP over HTTP: thin ASGI endpoints around `rollway.flags`.

Plain ASGI, without request and response objects: an application may ask here once per user request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from starlette.datastructures import Headers
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from rollway.flags import EVENTS_PATH, Answer, FlagBook, answer_all, answer_one, change_event

FLAGS_PATH = "/ofrep/v1/evaluate/flags"
LARGEST_BODY = 1 << 20
"""Bytes of a request; a context is a few attributes of one user."""
LOOK_EVERY = 0.1
"""Seconds between two looks at the book, so about how late a client hears of a change."""
KEEP_ALIVE_EVERY = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the stream open."""

_TOO_LARGE = Answer(
    413,
    (("Content-Type", "application/json"),),
    b'{"errorCode":"PARSE_ERROR","errorDetails":"the request is larger than 1 MiB"}',
)
_PREFLIGHT = Answer(
    204,
    (
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, X-API-Key"),
        ("Access-Control-Max-Age", "7200"),
    ),
    b"",
)


def ofrep_routes(book: FlagBook, *, allow_origin: str = "*") -> list[Route]:
    """The three OFREP endpoints: one flag, all flags, and the stream that tells of changes.

    `allow_origin` is the origin whose pages may ask (CORS). A stream stays open for as long as its client
    does; `book.close()` ends them all, for a server that is asked to stop.
    """
    methods = ["POST", "OPTIONS"]
    every = _Evaluation(lambda scope, body: _all(book, scope, body), allow_origin)
    one = _Evaluation(lambda scope, body: _one(book, scope, body), allow_origin)
    return [
        Route(FLAGS_PATH, every, methods=methods, name="ofrep_all"),
        # A key may hold slashes, and reaches us decoded.
        Route(FLAGS_PATH + "/{key:path}", one, methods=methods, name="ofrep_one"),
        Route(EVENTS_PATH, _Events(book, allow_origin), methods=["GET"], name="ofrep_events"),
    ]


def _one(book: FlagBook, scope: Scope, body: bytes) -> Answer:
    return answer_one(book, scope["path_params"]["key"], body, time.time())


def _all(book: FlagBook, scope: Scope, body: bytes) -> Answer:
    asked = Headers(scope=scope).get("if-none-match", "")
    return answer_all(book, body, asked, time.time(), events_path=scope.get("root_path", "") + EVENTS_PATH)


class _Evaluation:
    """An endpoint that reads a body and sends an answer."""

    def __init__(self, answer: Callable[[Scope, bytes], Answer], allow_origin: str) -> None:
        self._answer = answer
        self._allow_origin = allow_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            answer: Answer | None = _PREFLIGHT
        else:
            answer = await self._evaluate(scope, receive)
        if answer is not None:
            await _send(answer, self._allow_origin, send)

    async def _evaluate(self, scope: Scope, receive: Receive) -> Answer | None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > LARGEST_BODY:
                return _TOO_LARGE
            if not message.get("more_body", False):
                return self._answer(scope, body)


async def _send(answer: Answer, allow_origin: str, send: Send) -> None:
    headers = [
        *answer.headers,
        ("Access-Control-Allow-Origin", allow_origin),
        ("Access-Control-Expose-Headers", "ETag"),
    ]
    if answer.status not in (204, 304):
        headers.append(("Content-Length", str(len(answer.body))))
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


class _Events:
    """The stream of changes (server-sent events)."""

    def __init__(self, book: FlagBook, allow_origin: str) -> None:
        self._book = book
        self._headers = {
            "Access-Control-Allow-Origin": allow_origin,
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = Headers(scope=scope).get("last-event-id", "")
        response = StreamingResponse(
            _changes(self._book, seen), media_type="text/event-stream", headers=self._headers
        )
        await response(scope, receive, send)


async def _changes(book: FlagBook, seen: str) -> AsyncIterator[bytes]:
    # A new client is told at once: its flags may have changed between its first fetch and this stream.
    # It asks with its ETag, so where nothing changed that costs a 304.
    quiet_since = time.monotonic()
    while not book.is_closed:
        version, now = book.version, time.monotonic()
        if version != seen:
            yield change_event(version)
            seen, quiet_since = version, now
        elif now - quiet_since >= KEEP_ALIVE_EVERY:
            yield b": still here\n\n"
            quiet_since = now
        await asyncio.sleep(LOOK_EVERY)
