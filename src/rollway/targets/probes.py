"""Small questions to an environment: an address that must answer, or a program that must end well."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.targets.options import Options
from rollway.targets.programs import is_words, run_program

_OPTIONS = {
    "get": "http://10.0.0.7:8080/health",
    "expect": "200",
    "contains": "version 2.4",
    "headers": "{host: shop.example.com}",
    "run": "[./smoke-test.sh]",
    "name": "log in",
    "timeout": "10",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe found: `told` is the evidence in one sentence, `text` what was answered."""

    name: str
    is_well: bool
    told: str
    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A GET that must be answered with a status and a text in it, or a program that must end with 0."""

    name: str
    url: str = ""
    expect: int | None = None
    contains: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    timeout: float = 10.0

    def ask(self) -> Answer:
        """Ask once. Raises nothing: what does not answer is not well."""
        began = time.monotonic()
        try:
            is_well, told, text = self._program() if self.words else self._address()
        except TemporaryError as error:
            is_well, told, text = False, error.message, ""
        return Answer(self.name, is_well, told, time.monotonic() - began, text)

    def _program(self) -> tuple[bool, str, str]:
        text = run_program(self.words, timeout=self.timeout)
        last = text.strip().splitlines()
        return True, last[-1][:200] if last else "it ended well", text

    def _address(self) -> tuple[bool, str, str]:
        status, text = Asker(self.timeout).answer(self.url, headers=dict(self.headers))
        is_expected = 200 <= status < 300 if self.expect is None else status == self.expect
        if not is_expected:
            wanted = "2xx" if self.expect is None else str(self.expect)
            return False, f"{self.url} answers with status {status}, not {wanted}", text
        if self.contains not in text:
            return False, f"{self.url} does not contain {self.contains!r}: {text.strip()[:80]!r}", text
        return True, f"{self.url} answers with status {status}", text


def probe_from(value: object, at: str) -> Probe:
    """A probe from an address, a list of words, or a mapping with `get` or `run`. Raises InputError."""
    if isinstance(value, str):
        value = {"get": value}
    elif is_words(value):
        value = {"run": value}
    given = Options(value if isinstance(value, Mapping) else {}, "a check", _OPTIONS, at=at)
    if ("get" in given) == ("run" in given):
        raise given.error("get", "name an address with `get`, or a program with `run`, one of them", "it is ")
    timeout = given.number("timeout", 10.0, at_most=3600.0)
    if "run" in given:
        return _program(given, timeout)
    url = given.text("get")
    if not url.startswith(("http://", "https://")):
        raise given.error("get", f'"{url}" is no address')
    headers = given.raw("headers") or {}
    if not isinstance(headers, Mapping) or not all(isinstance(one, str) for one in headers.values()):
        raise given.error("headers", "is no mapping of names to texts")
    return Probe(
        given.text("name", url),
        url,
        int(given.number("expect", 200, above=99, at_most=599)) if "expect" in given else None,
        given.text("contains") if "contains" in given else "",
        tuple((str(name), text) for name, text in headers.items()),
        timeout=timeout,
    )


def _program(given: Options, timeout: float) -> Probe:
    words = given.raw("run")
    if not is_words(words):
        raise given.error("run", "is no list of words")
    for name in ("expect", "contains", "headers"):
        if name in given:
            raise given.error(name, "belongs to an address; a program must end with 0")
    return Probe(given.text("name", " ".join(words)), words=tuple(words), timeout=timeout)
