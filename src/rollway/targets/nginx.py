"""Exposes the new version through a split of nginx, in a file that nginx includes."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.fence import Fence
from rollway.targets.files import put
from rollway.targets.options import Options
from rollway.targets.preflight import tried
from rollway.targets.weights import steps_of

_OPTIONS = {
    "file": "/etc/nginx/conf.d/rollway-web.conf",
    "variable": "web_version",
    "key": "$remote_addr$http_user_agent",
    "candidate": "web_new",
    "baseline": "web_old",
    "probe": "http://127.0.0.1/rollway/web_version",
    "candidate_health": "http://10.0.0.7:8080/health",
    "baseline_health": "http://10.0.0.6:8080/health",
    "copies": "true",
    "test": "[nginx, -t]",
    "reload": "[nginx, -s, reload]",
    "timeout": "10",
}
_TEN_THOUSAND = 10_000
_LOADED_SECONDS = 5.0
_IN_A_ROW, _IN_A_ROW_SEEN = 10, 3
"""Equal answers after a reload, and at each look, before they are believed."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY = re.compile(r"[A-Za-z0-9_${}.:-]+")


class NginxTarget:
    """A share of the users, by a key of the request, is given the upstream of the new version.

    Options:

    - `file`: a file in nginx's `http` block that Rollway writes; its `split_clients` defines the variable;
    - `variable`: its name, without $; `proxy_pass http://$<variable>;` sends a request to one of
    - `candidate`, `baseline`: the `upstream` blocks of the two versions;
    - `key`: what tells users apart; the same user meets the same version while shares grow;
    - `probe`: an address of this nginx whose answer is the variable `$<variable>_told`, by
      `location = /rollway/<variable> { return 200 $<variable>_told; }`; so what is read back is what the
      running workers do, not what a file says;
    - `candidate_health`, `baseline_health`: addresses that answer with status 2xx while a version is well;
      nginx itself checks nobody's health;
    - `copies`: true where the site has the `mirror` location of the documentation, so that copies of requests
      to the old version can be sent to the new one; their share is drawn anew for each request;
    - `test`, `reload`: the commands; a file that does not pass the test is taken back and never loaded;
    - `timeout`: seconds that a command or a question may take.

    The file outlives restarts and reloads. Resolution: a hundredth of a percent.
    """

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "nginx", _OPTIONS)
        self.file = Path(given.text("file"))
        self.variable = _matching(given, "variable", _NAME)
        self.candidate, self.baseline = (_matching(given, name, _NAME) for name in ("candidate", "baseline"))
        if self.candidate == self.baseline:
            raise given.error("baseline", f"{self.baseline} is the candidate too")
        self.key = _matching(given, "key", _KEY, "$remote_addr$http_user_agent")
        self.probe = given.text("probe")
        self._health = {
            "candidate": given.text("candidate_health") if "candidate_health" in given else "",
            "baseline": given.text("baseline_health") if "baseline_health" in given else "",
        }
        self._may_copy = given.raw("copies") if "copies" in given else False
        if not isinstance(self._may_copy, bool):
            raise given.error("copies", f'"{self._may_copy}" is neither true nor false')
        self._test = given.texts("test", ("nginx", "-t"))
        self._reload = given.texts("reload", ("nginx", "-s", "reload"))
        self._timeout = given.number("timeout", 10.0, at_most=300.0)
        self._asker = Asker(self._timeout)
        self._fence = Fence()

    @property
    def identity(self) -> str:
        return f"nginx:{self.file}"

    def nearest(self, share: float) -> float:
        """The share that is really served when this one is asked for: split_clients knows 0.01 % steps."""
        return steps_of(share, _TEN_THOUSAND) / _TEN_THOUSAND

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        """Write the file, test it, reload nginx, and wait until its workers say that they have it.

        Raises TemporaryError where a step fails; a file that nginx does not accept is replaced by the one
        before, so that a later reload by somebody else cannot break the site.
        """
        if mirrored and not self._may_copy:
            raise TemporaryError(
                "this nginx sends no copies of requests to the new version",
                hint="give it the mirror location of the documentation, and say copies: true",
            )
        if self._fence.is_late(fence):
            return
        wanted = steps_of(share, _TEN_THOUSAND), steps_of(mirrored, _TEN_THOUSAND)
        self._load(self._text(*wanted))
        self._settled(_IN_A_ROW, wanted)

    def observe(self) -> Served:
        """The share that the running workers split by, and whether the versions' health checks answer.

        Raises TemporaryError where the probe does not answer as it should, or tells now this, now that.
        """
        ready = {side: self._asker.is_well(url) if url else None for side, url in self._health.items()}
        down = [side for side, well in ready.items() if well is False]
        note = f"down: {', '.join(down)}" if down else ""
        share, copies = (parts / _TEN_THOUSAND for parts in self._settled(_IN_A_ROW_SEEN))
        return Served(share, copies, ready["candidate"], ready["baseline"], note)

    def preflight(self) -> tuple[Check, ...]:
        """The probe answers, both versions are well, and the way back: the same share can be loaded anew."""
        hint = "name its health check as target.candidate_health and target.baseline_health"
        return tried(self, unchecked="nginx does not check its servers", hint=hint)

    # --- the file, the test, the reload -------------------------------------------------------------------

    def _text(self, parts: int, copies: int) -> str:
        lines = [f"# Written by Rollway: {parts / 100:.2f} % of the users are served by the new version."]
        lines.append(f'split_clients "{self.key}" ${self.variable} {{')
        if 0 < parts < _TEN_THOUSAND:
            lines.append(f"    {parts / 100:.2f}% {self.candidate};")
        rest = self.candidate if parts == _TEN_THOUSAND else self.baseline
        lines += [f"    * {rest};", "}"]
        told = f"{parts}+{copies}" if copies else f"{parts}"
        lines += [f'map "" ${self.variable}_told {{', f'    default "{told}";', "}"]
        if self._may_copy:
            lines += self._copied(copies)
        return "\n".join(lines) + "\n"

    def _copied(self, copies: int) -> list[str]:
        """Which upstream a copy of this request goes to: the new one, or none."""
        name = self.variable
        drawn = {0: ["    * no;"], _TEN_THOUSAND: ["    * yes;"]}.get(
            copies, [f"    {copies / 100:.2f}% yes;", "    * no;"]
        )
        return [
            f'split_clients "$request_id" ${name}_copied {{',
            *drawn,
            "}",
            f'map "${name} ${name}_copied" ${name}_copy {{',
            f'    "{self.baseline} yes" {self.candidate};',
            '    default "";',
            "}",
        ]

    def _load(self, text: str) -> None:
        before = self._before()
        put(self.file, text)
        try:
            self._run(self._test)
        except TemporaryError:
            if before is None:
                self.file.unlink(missing_ok=True)
            else:
                put(self.file, before)
            raise
        self._run(self._reload)

    def _before(self) -> str | None:
        try:
            return self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise TemporaryError(f"{self.file} cannot be read: {error}") from error

    def _run(self, command: Sequence[str]) -> None:
        words = " ".join(command)
        try:
            done = subprocess.run(  # noqa: S603 -- the operator's own command, and no shell
                command, capture_output=True, text=True, timeout=self._timeout, check=False, errors="replace"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TemporaryError(f"`{words}` did not run: {error}") from error
        if done.returncode:
            told = (done.stderr or done.stdout).strip().splitlines()
            why = next(
                (line for line in told if "emerg" in line or "error" in line), told[-1] if told else ""
            )
            raise TemporaryError(f"`{words}` ended with {done.returncode}: {why[:300]}")

    def _settled(self, times: int, wanted: tuple[int, int] | None = None) -> tuple[int, int]:
        """What the workers tell so many times in a row; where something is wanted, that is waited for.

        For a moment after a reload old and new workers answer side by side.
        """
        end = time.monotonic() + min(_LOADED_SECONDS, self._timeout)
        last, in_a_row = self._told(), 1
        while in_a_row < times or (wanted is not None and last != wanted):
            if time.monotonic() > end:
                told = "one share" if wanted is None else f"{wanted[0] / _TEN_THOUSAND:.2%}"
                raise TemporaryError(
                    f"nginx was reloaded, and {self.probe} still does not tell {told} each time",
                    hint="does its configuration include the file, and do other servers answer there too?",
                )
            time.sleep(0.01)
            before, last = last, self._told()
            in_a_row = in_a_row + 1 if last == before else 1
        return last

    def _told(self) -> tuple[int, int]:
        """Share and copies that the workers tell, in hundredths of a percent."""
        answer = self._asker.ask(self.probe, headers={"Connection": "close"}).strip()
        share, _, copies = answer.partition("+")
        told = [int(part) if part.isdigit() else -1 for part in (share, copies or "0")]
        if not all(0 <= part <= _TEN_THOUSAND for part in told):
            raise TemporaryError(
                f"{self.probe} does not tell the share: {answer[:60]!r}",
                hint=f"its location should be {{ return 200 ${self.variable}_told; }}",
            )
        return told[0], told[1]


def _matching(given: Options, name: str, pattern: re.Pattern[str], default: str | None = None) -> str:
    # What is written into a configuration must not be able to end a line of it.
    value = given.text(name, default)
    if not pattern.fullmatch(value):
        raise given.error(name, f'"{value}" cannot be written into nginx\'s configuration')
    return value
