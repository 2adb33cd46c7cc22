"""python -m examples.live NAME [--build good|bad|both] [--fast] [--json]

Ends with 0 where every build ended as it should, with 1 where one did not, with 2 where a program is missing,
and with 70 where the example itself went wrong.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import traceback
from importlib import import_module

from examples.live.example import FAST, HERE, NORMAL, Example, Pace
from examples.live.outcome import Outcome
from examples.live.play import play
from examples.live.servers import NotInstalledError

NAMES = tuple(sorted(path.parent.name for path in HERE.glob("*/release.yaml")))

BROKEN = 70
"""What Python would end with for an error, 1, says here that a build did not end as it should."""


def find(name: str) -> Example:
    """The example of this name; `blue-green` is `blue_green`."""
    example: Example = import_module(f"examples.live.{name.replace('-', '_')}").EXAMPLE
    return example


def play_builds(example: Example, builds: str, pace: Pace, *, quiet: bool) -> list[Outcome]:
    """The good build, the bad one, or one after the other."""
    wanted = {"good": ["good"], "bad": [example.bad], "both": ["good", example.bad]}[builds]
    return [play(example, build, pace, quiet=quiet) for build in wanted]


def main() -> int:
    names = [name.replace("_", "-") for name in NAMES]
    parser = argparse.ArgumentParser(
        prog="python -m examples.live", description="Carry a release out on real servers, under real traffic."
    )
    parser.add_argument("name", choices=[*names, "all"])
    parser.add_argument("--build", choices=("good", "bad", "both"), default="both")
    parser.add_argument("--fast", action="store_true", help="shorter bakes")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the outcomes as JSON; and what happened, where it went wrong, as errors",
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = names if arguments.name == "all" else [arguments.name]
    pace = FAST if arguments.fast else NORMAL
    try:
        outcomes = [
            outcome
            for name in chosen
            for outcome in play_builds(find(name), arguments.build, pace, quiet=arguments.json)
        ]
    except NotInstalledError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        return BROKEN
    if arguments.json:
        print(json.dumps([outcome.to_json() for outcome in outcomes], indent=2))
    elif len(outcomes) > 1:
        print()
        for outcome in outcomes:
            print(outcome.line())
    return 0 if all(outcome.is_right for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
