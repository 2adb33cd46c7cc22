"""What others made and is served from here."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from rollway.web.server import STATIC

VENDOR = STATIC / "vendor"


def packages() -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads((VENDOR / "vendor.toml").read_text())["package"]
    return found


def test_vendored_files_are_what_they_were() -> None:
    """Each file has the hash that was written down when it came."""
    for package in packages():
        for name, digest in package["files"].items():  # type: ignore[attr-defined]
            assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_every_vendored_file_has_a_name_a_version_and_a_licence() -> None:
    """Nothing lies in the folder that nobody accounts for, and the licence's text is there."""
    listed = {name for package in packages() for name in package["files"]}  # type: ignore[attr-defined]
    assert listed | {"vendor.toml"} == {path.name for path in VENDOR.iterdir()}
    for package in packages():
        assert all(package[key] for key in ("name", "version", "licence", "purpose"))
        assert f"{package['name']}-{package['version']}.LICENSE" in listed


def test_nothing_of_ours_is_loaded_from_elsewhere() -> None:
    """Our scripts, style sheet and templates name no other site."""
    ours = [*STATIC.glob("*.js"), *STATIC.glob("*.css"), *Path(STATIC.parent / "templates").rglob("*.html")]
    assert len(ours) > 15
    for path in ours:
        text = path.read_text()
        assert "http://" not in text, path
        assert "https://" not in text, path
        assert "//cdn" not in text, path
