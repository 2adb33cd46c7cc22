"""What commands about release files share: one file or several, each with those it extends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.facts.load import Loaded

F = TypeVar("F", bound=Callable[..., Any])
USUAL = (Path("release.yaml"),)


def releases_argument(function: F) -> F:
    """`RELEASE.YAML...`, later files laid over earlier ones, and `--set`."""
    function = click.option(
        "--set",
        "changes",
        multiple=True,
        metavar="FACT=VALUE",
        help="Change one fact for this call, such as architecture.feature_flags=false. May be repeated.",
    )(function)
    return click.argument(
        "release_files",
        nargs=-1,
        metavar="[RELEASE.YAML]...",
        type=click.Path(path_type=Path),
        callback=lambda _context, _parameter, paths: paths or USUAL,
    )(function)


def read_loaded(paths: tuple[Path, ...], changes: tuple[str, ...] = ()) -> Loaded:
    """The release that the files hold together. Raises `ReleaseFileError`, `InputError`."""
    from rollway.facts.extends import read_written
    from rollway.facts.load import load_written

    pairs = {}
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            hint = "--set architecture.feature_flags=false"
            raise InputError(f"--set {change}: write FACT=VALUE", hint=hint)
        pairs[name.strip()] = value
    return load_written(read_written(paths), pairs)


def named(paths: tuple[Path, ...]) -> str:
    """The files as they are written on a command line."""
    return " ".join(map(str, paths))
