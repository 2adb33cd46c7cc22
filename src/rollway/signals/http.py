"""Reads a KPI from any service that answers with JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.signals.windowed import Asked, DownError, UnusableError, WindowedSignal
from rollway.signals.windowed_options import WindowedOptions


class HttpSignal(WindowedSignal):
    """What a service tells of each version, for the time between two moments.

    Options:

    - `url`: asked by GET; `{start}` (not included) and `{end}` (included) become the moments as ISO 8601,
      `{start_epoch}` and `{end_epoch}` as unix seconds;
    - `rows`: a JMESPath expression that makes of the answer a list of objects with `arm`, `trials` and `bad`
      (for an assignment `units`; for a mean `units`, `total`, `squares`), such as
      `versions[].{arm: name, trials: requests, bad: errors}`; without it the answer is that list;
    - `candidate`, `baseline`: the values of `arm` for the two versions;
    - `token_env`: the environment variable with a bearer token;
    - `delay` (default 0s): how long events may come late; nothing younger is asked for;
    - `timeout` (default 5s).

    A version that the answer does not name had no trials in that time.
    """

    def __init__(self, kpi: str, kind: Any, options: Mapping[str, Any]) -> None:
        """Raises InputError, naming the option, without asking the service anything."""
        given = WindowedOptions("http", kpi, kind, options, ("url", "rows", "token_env"))
        self.kpi, self.kind, self.arms = kpi, kind, given.arms()
        self._url = given.text("url")
        if not self._url.startswith(("http://", "https://")):
            raise given.error("url", f"not a web address: {self._url!r}")
        if "{start" not in self._url or "{end" not in self._url:
            hint = "write {start} and {end} where the moments belong, such as ?from={start}&to={end}"
            raise given.error("url", "does not say which time is asked about", hint)
        self._rows = _expression(given)
        self._token_env = given.text("token_env") if "token_env" in given else ""
        self.delay, timeout = given.seconds("delay", "0s"), given.seconds("timeout", "5s")
        self._asker = Asker(max(0.1, timeout))

    def rows(self, asked: Asked) -> list[Mapping[str, Any]]:
        """What the service answers, as rows."""
        try:
            answer = self._asker.ask_json(self._filled(asked), headers=self._headers())
        except TemporaryError as error:
            raise DownError(error.message) from error
        rows = answer if self._rows is None else self._rows.search(answer)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UnusableError(f"the answer holds no list of rows, but {str(rows)[:80]!r}")
        return rows

    def _filled(self, asked: Asked) -> str:
        url = self._url
        for name, moment in (("start", asked.start), ("end", asked.end)):
            told = datetime.fromtimestamp(moment, UTC).isoformat()
            url = url.replace(f"{{{name}}}", quote(told)).replace(f"{{{name}_epoch}}", f"{moment:.6f}")
        return url

    def _headers(self) -> dict[str, str]:
        if not self._token_env:
            return {}
        token = os.environ.get(self._token_env)
        if not token:
            raise TemporaryError(f"the environment has no {self._token_env}, the token for the service")
        return {"Authorization": f"Bearer {token}"}


def _expression(given: WindowedOptions) -> Any:
    import jmespath

    if "rows" not in given:
        return None
    try:
        return jmespath.compile(given.text("rows"))
    except jmespath.exceptions.JMESPathError as error:
        told = str(error).splitlines()[0]
        raise given.error("rows", f"not a JMESPath expression: {told}") from error
