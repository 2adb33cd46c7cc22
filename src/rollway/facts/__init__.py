"""The release file: reads facts with their sources, and tells everything that is wrong with it at once.

It never judges a release, never guesses an unknown fact, and never writes to a file.
"""

from rollway.facts.fact import NOT_STATED, UNKNOWN_WORD, Fact
from rollway.facts.listing import (
    all_facts,
    facts_hash,
    release_from_json,
    release_to_json,
    stated_facts,
    without_places,
)
from rollway.facts.load import load_release, parse_release
from rollway.facts.model import Release
from rollway.facts.problems import Problem, ReleaseFileError
from rollway.facts.schema import SCHEMA_FILE, json_schema
from rollway.facts.skeleton import skeleton

__all__ = [
    "NOT_STATED",
    "SCHEMA_FILE",
    "UNKNOWN_WORD",
    "Fact",
    "Problem",
    "Release",
    "ReleaseFileError",
    "all_facts",
    "facts_hash",
    "json_schema",
    "load_release",
    "parse_release",
    "release_from_json",
    "release_to_json",
    "skeleton",
    "stated_facts",
    "without_places",
]
