"""What keeps other web sites out: the Host header check, strict headers, same-origin writes, form tokens."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rollway.errors import InputError, RefusedError
from rollway.web.headers import HEADERS
from rollway.web.problems import problem_response

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})
COOKIE = "rollway_form"
BIGGEST_FORM = 64 * 1024


class Guarded:
    """Answers only under names that are known to be ours, and puts the security headers on every answer.

    Against DNS rebinding: a name of an attacker's may point here, but it cannot be one of these names.
    An address (such as 10.0.0.7) is always accepted, because nothing can be rebound without a name.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = LOOPBACK_NAMES | {host.casefold() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        inner: ASGIApp = self.app
        if not self._is_ours(headers.get("host", "")):
            error = RefusedError(
                f"this Rollway does not answer to the name {headers.get('host', '')!r}",
                hint="use its address or localhost, or name the host when Rollway is started",
            )
            inner = problem_response(error)
        # The flags answer programs many times a second, and set the headers of their protocol themselves.
        is_flags = scope["path"].startswith("/ofrep/")
        await inner(scope, receive, send if is_flags else _with_headers(scope["path"], send))

    def _is_ours(self, host: str) -> bool:
        name = _name_of(host)
        return name in self.hosts or _is_address(name)


def _with_headers(path: str, send: Send) -> Send:
    # Files of our own change with the version, so browsers ask each time (and mostly hear 304).
    caching = "no-cache" if path.startswith("/static/") else "no-store"

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, "cache-control": caching}.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


# --- writes ---------------------------------------------------------------------------------------


def same_origin(request: Request) -> None:
    """Raise RefusedError where a browser says that another site sent this request.

    Programs that are no browsers send neither header, and no cookie that could be borrowed.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if is_foreign or site not in ("same-origin", "none"):
        raise RefusedError("this request was sent by another site", hint="send it from Rollway’s own page")


def json_only(request: Request) -> None:
    """Raise InputError unless the body is declared as JSON: other sites cannot declare that unasked."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if declared != "application/json":
        raise InputError("the body must be JSON", hint="send the header Content-Type: application/json")


class FormTokens:
    """Ties a form to the browser it was sent to: the cookie is random, the token in the form is its MAC.

    The secret lives as long as the process; a page from before a restart has to be loaded again.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def cookie(self, request: Request) -> str:
        """The browser's cookie, or a new one."""
        return request.cookies.get(COOKIE) or secrets.token_urlsafe(24)

    def token(self, cookie: str) -> str:
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def check(self, request: Request, token: str) -> None:
        """Raise RefusedError where the form did not come from a page of ours in this browser."""
        cookie = request.cookies.get(COOKIE, "")
        # As bytes: texts of other letters than ASCII's are refused by compare_digest with a TypeError.
        if not cookie or not hmac.compare_digest(self.token(cookie).encode(), token.encode()):
            raise RefusedError(
                "this form is too old, or not from here", hint="load the page again and repeat it"
            )


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded). Raises InputError."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BIGGEST_FORM:
            raise InputError("the form is too large")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise InputError("the form cannot be read") from error
    return {name: values[0] for name, values in fields.items()}
