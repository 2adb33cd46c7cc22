"""Brings one notification to one channel: a signed webhook (CloudEvents), or whatever Apprise speaks.

Addresses may hold secrets, so none is shown: what went wrong is told with the address left out.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any
from urllib.parse import quote, urlsplit

from rollway.asking import Asker
from rollway.errors import InputError, RollwayError, TemporaryError
from rollway.rollout.notifications import Notification, mood
from rollway.signing import signed
from rollway.store import Channel, ChannelKind

BASE_URL = "ROLLWAY_URL"
"""The environment variable with the address under which people reach Rollway's page."""

VARIABLE = "env:"
STEP_SECONDS = 10.0
WHOLE_SECONDS = 30.0
REPEAT = "(may be a repeat) "
KEPT = "The address is kept as it is. If it holds a secret, give env:NAME instead."
UNKNOWN = "Apprise does not know this address"
_SHORTEST_SECRET = 6
_SERVER = re.compile(r"localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def deliver(channel: Channel, told: Notification, *, is_unsure: bool = False) -> str:
    """Send it now, and return what came back, on one line. Raises TemporaryError where it did not arrive.

    `is_unsure`: an earlier attempt may have arrived. A webhook's receiver sees that by the key; people are
    told in words.
    """
    url = ""
    try:
        url = address(channel.url)
        if channel.kind == "webhook":
            return _post(url, channel.secret_env, told)
        _notify(url, told, is_unsure=is_unsure)
        return ""
    except RollwayError as error:
        raise TemporaryError(without(url, error.message), hint=error.hint) from None
    except Exception as error:
        raise TemporaryError(without(url, f"{type(error).__name__}: {error}")) from None


def address(url: str) -> str:
    """The address itself, out of the environment where it stands there. Raises TemporaryError."""
    if not url.startswith(VARIABLE):
        return url
    name = url.removeprefix(VARIABLE)
    found = os.environ.get(name, "").strip()
    if not found:
        raise TemporaryError(
            f"the environment has no {name}", hint="start `rollway serve` with the address in this variable"
        )
    return found


def check_address(kind: ChannelKind, url: str) -> tuple[str, ...]:
    """What somebody should know of a new channel's address, a sentence each. Raises InputError where it
    cannot be used. One in a variable is only looked at where the variable is set here."""
    try:
        found = address(url)
    except TemporaryError as error:
        return (f"{error.message} here; {error.hint}",)
    if kind == "webhook":
        return _check_webhook(found, is_stored=found == url)
    return _check_apprise(found, is_stored=found == url)


def masked(url: str) -> str:
    """An address as it may be shown: of a webhook the server, of the others only the kind."""
    if url.startswith(VARIABLE):
        return url
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "..."
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.hostname or ''}{port}/..."
    return f"{parts.scheme}://..."


def without(url: str, text: str) -> str:
    """A text in which the address, and each part of it that may be a secret, is masked; on one line."""
    if url:
        text = text.replace(url, masked(url))
        for part in re.split(r"[/:@?&=#,]+", url.partition("://")[2]):
            if len(part) >= _SHORTEST_SECRET and not _SERVER.fullmatch(part):
                text = text.replace(part, "****")
    return " ".join(text.split())[:500]


def page_of(rollout: str) -> str:
    """The address of a rollout's page; empty where nobody said under which address it is reached."""
    base = os.environ.get(BASE_URL, "").rstrip("/")
    return f"{base}/rollouts/{quote(rollout)}" if base and rollout else ""


# --- webhook --------------------------------------------------------------------------------------


def cloud_event(told: Notification) -> dict[str, Any]:
    """The notification in the structured form of CloudEvents 1.0; the same at every attempt."""
    rollout = str(told.data.get("rollout", ""))
    page = page_of(rollout)
    data = {"kind": told.kind, "title": told.title, "text": told.text, **told.data}
    return {
        "specversion": "1.0",
        "id": told.key,
        "source": page or f"/rollouts/{quote(rollout)}",
        "type": f"rollway.rollout.{told.kind}",
        "time": told.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {**data, "link": page} if page else data,
    }


def _post(url: str, secret_env: str, told: Notification) -> str:
    body = json.dumps(cloud_event(told), sort_keys=True, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "Idempotency-Key": told.key,
        **signed(secret_env, body),
    }
    asker = Asker(STEP_SECONDS, within=WHOLE_SECONDS)
    return " ".join(asker.ask(url, method="POST", body=body, headers=headers).split())[:200]


def _check_webhook(url: str, *, is_stored: bool) -> tuple[str, ...]:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise InputError(
            "this is no address of a webhook", hint="such as https://ops.example.com/hooks/rollway"
        )
    if is_stored and (parts.username or parts.password):
        raise InputError(
            "an address with a password in it is not kept",
            hint="put it into a variable and give env:NAME, or sign instead: --secret-env NAME",
        )
    said = [KEPT] if is_stored and parts.query else []
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme == "http" and not is_local:
        said.append("This address is not encrypted: whoever is on the way reads along. Use https.")
    return tuple(said)


# --- Apprise --------------------------------------------------------------------------------------


def _notify(url: str, told: Notification, *, is_unsure: bool) -> None:
    page = page_of(str(told.data.get("rollout", "")))
    text = f"{told.text}\n{page}" if page else told.text
    with _complaints() as complaints:
        service = _service(url)
        if not service:
            raise TemporaryError(complaints[-1] if complaints else UNKNOWN)
        is_sent = service.notify(
            body=text,
            title=f"{REPEAT if is_unsure else ''}{told.title}",
            notify_type=mood(told.kind),
            body_format="text",
        )
    if not is_sent:
        raise TemporaryError(complaints[-1] if complaints else "Apprise could not send it, and says no more")


def _check_apprise(url: str, *, is_stored: bool) -> tuple[str, ...]:
    with _complaints():
        service = _service(url)
    if not service:
        raise InputError(
            UNKNOWN, hint="such as mailto://user:password@example.com; see https://appriseit.com/services/"
        )
    said = []
    if is_stored:
        said.append(KEPT)
    reached = sum(len(one) for one in service)
    if reached > 1:
        said.append(
            f"It reaches {reached} at once: where one of them fails, all get it again. "
            "A channel for each is better."
        )
    return tuple(said)


def _service(url: str) -> Any:
    """Apprise with the service of this address, following no redirects; empty where it knows none."""
    try:
        import apprise
    except ImportError as error:
        raise InputError(
            "this channel needs Apprise, which is not installed", hint="pip install 'rollway[notify]'"
        ) from error
    asset = apprise.AppriseAsset(app_id="Rollway", async_mode=False, http_redirects=False)
    services = apprise.Apprise(asset=asset)
    services.add(_as_plain_text(url))
    return services


def _as_plain_text(url: str) -> str:
    # Made into HTML a letter's spaces do not break, and plain readers show tags.
    if not url.startswith(("mailto://", "mailtos://")) or "format=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}format=text"


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What Apprise logs in this thread meanwhile: it says nowhere else why something failed. None of it
    goes to our own log, for it may show the address."""
    logger, said, thread = logging.getLogger("apprise"), list[str](), threading.get_ident()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                said.append(record.getMessage())

    collector = Collector(logging.WARNING)
    logger.propagate = False
    logger.addHandler(collector)
    try:
        yield said
    finally:
        logger.removeHandler(collector)
