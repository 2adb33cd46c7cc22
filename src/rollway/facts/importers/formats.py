"""The formats, in the order in which a file is tried against them: the particular before the general."""

from __future__ import annotations

from dataclasses import replace

from rollway.facts.importers import (
    changelog,
    cobertura,
    csv_text,
    git_log,
    github,
    gitlab,
    ical,
    jacoco,
    jira,
    junit,
    sarif,
    xlsx,
)
from rollway.facts.importers.model import Given, Imported, Importer, Options, UnreadableError
from rollway.facts.importers.registers import REGISTERS
from rollway.facts.problems import closest

IMPORTERS: tuple[Importer, ...] = (
    junit.IMPORTER,
    cobertura.IMPORTER,
    jacoco.IMPORTER,
    sarif.IMPORTER,
    jira.IMPORTER,
    gitlab.IMPORTER,
    github.IMPORTER,
    ical.IMPORTER,
    xlsx.IMPORTER,
    changelog.IMPORTER,
    git_log.IMPORTER,
    csv_text.IMPORTER,
)


def formats() -> tuple[str, ...]:
    """What may be asked for by name: the formats, and the kinds of tables in spreadsheets."""
    return (*(importer.name for importer in IMPORTERS), *(kind.name for kind in REGISTERS))


def import_given(given: Given, options: Options, name: str = "") -> tuple[Importer, Imported]:
    """What a file says, read as the format of that name, or as the one its content looks like.

    Raises `UnreadableError`.
    """
    if name in [kind.name for kind in REGISTERS]:
        options, name = replace(options, table=name), ""
        importer = xlsx.IMPORTER if xlsx.IMPORTER.recognises(given) else csv_text.IMPORTER
    else:
        importer = _named(name) if name else _recognised(given)
    return importer, importer.read(given, options)


def _named(name: str) -> Importer:
    for importer in IMPORTERS:
        if importer.name == name:
            return importer
    near = closest(name, formats())
    hint = f"did you mean {near}?" if near else f"known here: {', '.join(formats())}"
    raise UnreadableError(f"--as {name}: there is no such format", hint=hint)


def _recognised(given: Given) -> Importer:
    if not given.data and not given.folder:
        raise UnreadableError(f"{given.name}: this file is empty")
    for importer in IMPORTERS:
        if importer.recognises(given):
            return importer
    hint = f"name its format with --as: {', '.join(formats())}"
    raise UnreadableError(f"{given.name}: no known format is recognised{_old_office(given)}", hint=hint)


def _old_office(given: Given) -> str:
    if given.data.startswith(b"\xd0\xcf\x11\xe0"):
        return "; this is an old Office file (.xls): save it as .xlsx or CSV"
    if b"opendocument" in given.data[:200]:
        return "; this is an OpenDocument file (.ods): save it as .xlsx or CSV"
    return ""
