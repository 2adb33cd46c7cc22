"""Importers: what other tools wrote, read into facts with their sources.

They read what they are given and nothing else, refuse what would exhaust the machine, say what they left
out and why, and never guess a yes or a no that a file does not state.
"""

from rollway.facts.importers.formats import IMPORTERS, formats, import_given
from rollway.facts.importers.fragment import HEAD, Fragment, beside, combined, fragment_text
from rollway.facts.importers.given import STDIN, read_given
from rollway.facts.importers.model import (
    Found,
    Given,
    Imported,
    Importer,
    Options,
    Skipped,
    UnreadableError,
)

__all__ = [
    "HEAD",
    "IMPORTERS",
    "STDIN",
    "Found",
    "Fragment",
    "Given",
    "Imported",
    "Importer",
    "Options",
    "Skipped",
    "UnreadableError",
    "beside",
    "combined",
    "formats",
    "fragment_text",
    "import_given",
    "read_given",
]
