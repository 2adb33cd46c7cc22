"""Shops with tills: a folder for each, in which a real program keeps the version that the tills run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

# Says what it begins and ends, so that a test sees who ran twice, or two at once; a shop may be told to fail,
# to be slow, or to die half way.
UPDATE = """
shop="$1/$2"
say() { echo "$1 $2 $3" >> "$diary"; }
diary="$1/diary"
if ! mkdir "$shop/busy" 2> /dev/null; then say clash "$2" "$3"; echo two at once; exit 1; fi
say begin "$2" "$3"
echo stopping the tills
if [ -e "$shop/slow" ]; then read -r pause < "$shop/slow"; sleep "$pause"; fi
failing=""
if [ -e "$shop/fails" ]; then read -r failing < "$shop/fails"; fi
if [ "$failing" != "$3" ]; then echo "$3" > "$shop/version.new"; mv "$shop/version.new" "$shop/version"; fi
rmdir "$shop/busy"
say end "$2" "$3"
if [ "$failing" = "$3" ]; then echo till 3 is open; exit 1; fi
"""


class Shops:
    """So many shops with the old version, in groups named after towns."""

    def __init__(self, root: Path, number: int, groups: tuple[str, ...] = ("Oslo", "Rome", "Wien")) -> None:
        self.root = root / "shops"
        self.state = root / "state"
        self.names = [f"S{n:03d}" for n in range(1, number + 1)]
        self.group = {name: groups[n * len(groups) // number] for n, name in enumerate(self.names)}
        for name in self.names:
            (self.root / name).mkdir(parents=True)
            (self.root / name / "version").write_text("2.3.1\n")
        self._update = root / "update.sh"
        self._update.write_text(UPDATE)

    def options(self, **more: Any) -> dict[str, Any]:
        update = ["sh", str(self._update), str(self.root), "{site}", "{version}"]
        given = {
            "sites": [{"site": name, "group": self.group[name]} for name in self.names],
            "state": str(self.state),
            "candidate": "2.4.0",
            "baseline": "2.3.1",
            "up": update,
            "down": update,
            "check": ["cat", f"{self.root}/{{site}}/version"],
            "retries": 0,
            "timeout": 20,
        }
        return {name: value for name, value in {**given, **more}.items() if value is not None}

    def fail(self, *names: str, at: str = "2.4.0") -> None:
        for name in names:
            (self.root / name / "fails").write_text(f"{at}\n")

    def mend(self, *names: str) -> None:
        for name in names:
            (self.root / name / "fails").unlink()

    def slow(self, seconds: float, *names: str) -> None:
        for name in names or self.names:
            (self.root / name / "slow").write_text(f"{seconds}\n")

    def having(self, version: str = "2.4.0") -> list[str]:
        """The shops whose tills run this version."""
        return [name for name in self.names if (self.root / name / "version").read_text().strip() == version]

    def diary(self) -> list[tuple[str, str, str]]:
        """What the update program did: (begin, end or clash; shop; version), in its order."""
        path = self.root / "diary"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(what, shop, version) for what, shop, version in (line.split(" ") for line in lines)]

    def runs(self, version: str = "2.4.0") -> Counter[str]:
        """How often the update to this version was begun at each shop."""
        return Counter(shop for what, shop, told in self.diary() if what == "begin" and told == version)
