"""Exposes the new version through a service of the operators' own that is told the share over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.signing import signed
from rollway.targets.answer import HINT, served_from
from rollway.targets.fence import Fence
from rollway.targets.options import Options
from rollway.targets.preflight import tried

_OPTIONS = {
    "url": "https://deploy.example.com/share",
    "observe": "https://deploy.example.com/share",
    "secret_env": "DEPLOY_SECRET",
    "timeout": "5",
    "retries": "2",
    "name": "shop-tills",
}
_BETWEEN_SECONDS = 0.2


class WebhookTarget:
    """A share that a service of the operators' own sets and tells.

    Options:

    - `url`: is sent, by POST, `{"rollout", "share", "percent", "mirrored", "fence"}` as JSON. The share is
      absolute; `Idempotency-Key` is the same for each try of the same step, and a `fence` lower than one
      that was seen before should be ignored;
    - `observe`: is asked by GET, and tells what is served, as a number or as JSON;
    - `secret_env`: the environment variable with a secret. Then `Rollway-Timestamp` and `Rollway-Signature`
      (`sha256=` and the HMAC of the timestamp, a dot and the body) let the service see who speaks;
    - `timeout`: seconds for each request; `retries`: how often a failed one is tried again;
    - `name`: what is switched, where two plans use different addresses for the same thing.

    After a restart of the service the share is what it tells.
    """

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "webhook", _OPTIONS)
        self.url, self.observe_url = (_address(given, name) for name in ("url", "observe"))
        self.name = given.text("name", self.url)
        self._secret_name = given.text("secret_env") if "secret_env" in given else ""
        self._asker = Asker(given.number("timeout", 5.0, at_most=300.0))
        self._tries = 1 + int(given.number("retries", 2, above=-1, at_most=20))
        self._rollout = surroundings.rollout
        self._fence = Fence()

    @property
    def identity(self) -> str:
        return f"webhook:{self.name}"

    def nearest(self, share: float) -> float:
        """The share itself: how fine the service can be is not known."""
        return share

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        """Tell the service, again where it fails. Raises TemporaryError where no try is answered well."""
        if self._fence.is_late(fence):
            return
        told = {
            "rollout": self._rollout,
            "share": share,
            "percent": round(share * 100, 10),
            "mirrored": mirrored,
            "fence": fence,
        }
        body = json.dumps(told, sort_keys=True).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{self._rollout}:{fence}:{share:.10g}",
        }
        for left in reversed(range(self._tries)):
            try:
                self._asker.ask(
                    self.url, method="POST", body=body, headers=headers | signed(self._secret_name, body)
                )
                return
            except TemporaryError:
                if not left:
                    raise
                time.sleep(_BETWEEN_SECONDS)

    def observe(self) -> Served:
        """What the service tells. Raises TemporaryError where it does not answer, or tells no share."""
        return served_from(
            self._asker.ask(self.observe_url, headers=signed(self._secret_name, b"")), self.observe_url
        )

    def preflight(self) -> tuple[Check, ...]:
        """The service tells a share, takes the same one again, and tells it still; the way back is timed."""
        return tried(self, unchecked="the service does not tell", hint=HINT)


def _address(given: Options, name: str) -> str:
    value = given.text(name)
    if not value.startswith(("http://", "https://")):
        raise given.error(name, f'"{value}" is no address')
    return value
