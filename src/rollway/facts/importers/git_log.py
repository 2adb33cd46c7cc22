"""Conventional Commits: from a git repository, or from what `git log` printed into a file."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rollway.facts.importers.given import beginning, clean, text_of
from rollway.facts.importers.issues import issue_in, touched, without_reference
from rollway.facts.importers.model import (
    SHOWN_PLACES,
    Found,
    Given,
    Imported,
    Importer,
    Options,
    Row,
    Skips,
    UnreadableError,
    counted,
)

MAX_COMMITS = 10_000
_SECONDS = 60
_STORIES = ("feat", "fix", "perf")
_SUBJECT = re.compile(
    r"^(?P<type>[a-zA-Z]+)(?:\((?P<scope>[^()\r\n]*)\))?(?P<breaking>!)?:\s+(?P<told>\S.*)$"
)
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE:\s", re.MULTILINE)
_COMMIT = re.compile(r"^commit ([0-9a-f]{7,64})(?: \(.*\))?$")
_ONE_LINE = re.compile(r"^([0-9a-f]{7,40})\s+(?:\([^)]*\)\s+)?(\S.*)$")


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: its hash, the first line of its message, and the rest."""

    sha: str
    subject: str
    body: str = ""


def read(given: Given, options: Options) -> Imported:
    """Features, fixes and speed-ups to the backlog; breaking changes tell against compatibility."""
    if given.folder:
        text, span = _run_git(given, options)
        commits = list(_separated(text))
    else:
        text, span = text_of(given)[0], ""
        commits = list(_printed(text))
        if not commits:
            raise UnreadableError(f"{given.name}: this is not what `git log` prints")
    return _imported(commits, span)


def _imported(commits: list[Commit], span: str) -> Imported:
    skips, rows, kinds = Skips(), dict[str, Row](), Counter[str]()
    breaking: list[str] = []
    for commit in commits:
        found = _SUBJECT.match(commit.subject)
        kind = found["type"].lower() if found else ""
        kinds[kind or "other"] += 1
        if found and (found["breaking"] or _BREAKING.search(commit.body)):
            breaking.append(commit.sha[:9])
        if found is None:
            merge = commit.subject.startswith(("Merge ", "Revert "))
            skips.add("merges and reverts" if merge else "not a conventional commit", commit.sha[:9])
        elif kind not in _STORIES:
            skips.add(f"{kind}: users do not notice it", commit.sha[:9])
        else:
            _keep(rows, commit, found, skips)
    told = f"{counted(len(commits), 'commit')}{f' in {span}' if span else ''}: "
    told += ", ".join(f"{number} {kind}" for kind, number in kinds.most_common(6)) or "nothing"
    facts = (_incompatible(breaking, len(commits)),) if breaking else ()
    notes = ("nobody has said whether these stories are accepted",) if rows else ()
    stories = {"backlog.items": tuple(rows.values())} if rows else {}
    return Imported(told, facts, stories, skips.result(), notes, fills_in=True)


def _keep(rows: dict[str, Row], commit: Commit, found: re.Match[str], skips: Skips) -> None:
    id_ = issue_in(f"{commit.subject}\n{commit.body}") or commit.sha[:9]
    title = clean(without_reference(found["told"]))
    if id_ in rows:
        skips.add("another commit for the same issue", commit.sha[:9])
        return
    parts = touched(f"{found['scope'] or ''} {'performance' if found['type'].lower() == 'perf' else ''}")
    rows[id_] = {"id": id_, "title": title[:1].upper() + title[1:], **({"touches": parts} if parts else {})}


def _incompatible(breaking: list[str], total: int) -> Found:
    named = ", ".join(breaking[:SHOWN_PLACES]) + (", …" if len(breaking) > SHOWN_PLACES else "")
    told = f"{len(breaking)} of {counted(total, 'commit')} declared breaking ({named})"
    return Found("migration.backward_compatible", False, told, assumed=True)


# --- a file ---------------------------------------------------------------------------------------------


def _printed(text: str) -> Iterator[Commit]:
    """`git log` as it is, or `git log --oneline`."""
    lines = text.splitlines()
    if any(_COMMIT.match(line) for line in lines[:50]):
        yield from _medium(lines)
        return
    for line in lines[:MAX_COMMITS]:
        if found := _ONE_LINE.match(line.strip()):
            yield Commit(found[1], found[2])


def _medium(lines: list[str]) -> Iterator[Commit]:
    sha, message = "", list[str]()
    for line in [*lines, "commit 0000000"]:
        if found := _COMMIT.match(line):
            if sha:
                yield Commit(sha, message[0] if message else "", "\n".join(message[1:]))
            sha, message = found[1], []
        elif line.startswith("    ") and (line.strip() or message):
            message.append(line.strip())


# --- a repository -----------------------------------------------------------------------------------------


def _run_git(given: Given, options: Options) -> tuple[str, str]:
    """The log, hash and message separated by control characters, and the range it covers."""
    span = options.revisions or _since_last_tag(given)
    if span.startswith("-"):
        raise UnreadableError(f"{span!r} is not a range of revisions", hint="such as v2.3.0..HEAD")
    text = _git(given, "log", "--no-color", "--no-show-signature", f"--max-count={MAX_COMMITS}",
                "--format=%H%x1f%s%x1f%b%x1e", "--end-of-options", span)  # fmt: skip
    return text, span


def _since_last_tag(given: Given) -> str:
    try:
        return f"{_git(given, 'describe', '--tags', '--abbrev=0').strip()}..HEAD"
    except UnreadableError:
        return "HEAD"


def _git(given: Given, *words: str) -> str:
    command = ["git", "-C", given.folder, "--no-pager", "-c", "core.fsmonitor=false", *words]  # no hooks run
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
    except FileNotFoundError:
        hint = "or print the log elsewhere: git log > log.txt"
        raise UnreadableError("git is not installed here", hint=hint) from None
    except subprocess.TimeoutExpired:
        raise UnreadableError(f"{given.name}: git took longer than {_SECONDS} seconds") from None
    if done.returncode:
        told = clean(done.stderr.decode("utf-8", "replace"), 200).removeprefix("fatal: ")
        raise UnreadableError(f"{given.name}: git says: {told}")
    return done.stdout.decode("utf-8", "replace")


def _separated(text: str) -> Iterator[Commit]:
    for entry in text.split("\x1e"):
        sha, _, message = entry.strip("\n").partition("\x1f")
        subject, _, body = message.partition("\x1f")
        if sha:
            yield Commit(sha, subject, body)


def _recognises(given: Given) -> bool:
    if given.folder:
        return True
    lines = [line for line in beginning(given).splitlines() if line.strip()][:5]
    of_log = bool(lines) and _COMMIT.match(lines[0]) is not None
    return of_log or (len(lines) > 0 and all(_ONE_LINE.match(line.strip()) for line in lines[:-1] or lines))


IMPORTER = Importer("git", "git log", _recognises, read)
