"""How many flags can one core evaluate, and how many OFREP requests can one process answer?

    python benchmarks/flags_speed.py             about half a minute

Evaluations are counted per second of CPU time, as the median of interleaved rounds, next to the published
evaluator (openfeature-flagd-core) with the same definitions and users. Requests are asked over real HTTP on
loopback, one connection per asking thread; what a request costs the server is its own CPU time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from rollway.flags import FlagBook, evaluate, exposure_definition, read_definitions

SWITCH = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
RULE = {
    "and": [
        {"ends_with": [{"var": "email"}, "@firm.example"]},
        {"in": [{"var": "plan"}, ["pro", "team"]]},
        {">=": [{"var": "age"}, 18]},
    ]
}
DOCUMENT: dict[str, Any] = {
    "flags": {
        "static": SWITCH,
        "rule": {**SWITCH, "targeting": {"if": [RULE, "on", "off"]}},
        "25% rollout": {**SWITCH, "targeting": {"fractional": [["on", 25_000], ["off", 75_000]]}},
        "exposure": exposure_definition(
            key="exposure",
            candidate_variant="on",
            baseline_variant="off",
            variants={"on": True, "off": False},
            share=0.25,
            salt="exposure",
        ),
    }
}
USERS: list[dict[str, Any]] = [
    {
        "targetingKey": f"user-{number}",
        "email": f"user-{number}@{'firm' if number % 2 else 'else'}.example",
        "plan": ("free", "pro", "team")[number % 3],
        "age": 10 + number % 50,
    }
    for number in range(1000)
]


def per_cpu_second(work: Callable[[], None], count: int) -> float:
    start = time.process_time()
    work()
    return count / (time.process_time() - start)


def evaluations(rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """Evaluations per CPU-second of each flag: Rollway's and the published evaluator's, one per round."""
    flags, published = read_definitions(DOCUMENT), FlagdCore()
    published.set_flags(json.dumps(DOCUMENT))
    contexts = [
        EvaluationContext(
            user["targetingKey"], {name: value for name, value in user.items() if name != "targetingKey"}
        )
        for user in USERS
    ]

    def ours(key: str, repeats: int) -> None:
        for _ in range(repeats):
            for user in USERS:
                evaluate(flags, key, user, timestamp=int(time.time()))

    def theirs(key: str, repeats: int) -> None:
        for _ in range(repeats):
            for context in contexts:
                published.resolve_boolean_value(key, False, context)

    found: dict[str, tuple[list[float], list[float]]] = {key: ([], []) for key in DOCUMENT["flags"]}
    for _ in range(rounds):
        for key, (mine, other) in found.items():
            mine.append(per_cpu_second(lambda key=key: ours(key, 50), 50_000))  # type: ignore[misc]
            other.append(per_cpu_second(lambda key=key: theirs(key, 5), 5_000))  # type: ignore[misc]
    return found


def serve(pipe: Connection) -> None:
    """A server process; each word from the pipe is answered with the CPU seconds used so far."""
    import uvicorn
    from starlette.applications import Starlette

    from rollway.web.ofrep import ofrep_routes

    app = Starlette(routes=ofrep_routes(FlagBook(DOCUMENT)))
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    pipe.send(server.servers[0].sockets[0].getsockname()[1])
    while pipe.recv() != "stop":
        pipe.send(time.process_time())
    server.should_exit = True
    thread.join()


def ask(port: int, count: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(count):
        body = json.dumps({"context": USERS[number % len(USERS)]})
        connection.request(
            "POST", "/ofrep/v1/evaluate/flags/exposure", body, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"unexpected answer: {answer.status} {content!r}")
    connection.close()


def requests(threads: int, count: int) -> tuple[float, float]:
    """Requests per second of wall time, and the server's CPU milliseconds per request."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    server.start()
    port = here.recv()
    ask(port, 200)
    here.send("cpu")
    cpu, start = here.recv(), time.perf_counter()
    asking = [threading.Thread(target=ask, args=(port, count // threads)) for _ in range(threads)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    seconds = time.perf_counter() - start
    here.send("cpu")
    cpu = here.recv() - cpu
    here.send("stop")
    server.join()
    return count / seconds, 1000 * cpu / count


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--requests", type=int, default=4000)
    given = options.parse_args()
    report(evaluations(given.rounds))
    print()
    for threads in (1, 4):
        rate, cpu = requests(threads, given.requests)
        print(
            f"OFREP, {threads} connection(s): {rate:7,.0f} requests/s, {cpu:.2f} ms of the server's CPU each"
        )


def report(found: Mapping[str, tuple[list[float], list[float]]]) -> None:
    print(f"{'evaluations per CPU-second':28}{'rollway':>12}{'flagd-core':>12}{'ratio':>8}")
    for key, (mine, other) in found.items():
        ours, theirs = statistics.median(mine), statistics.median(other)
        print(f"{key:28}{ours:12,.0f}{theirs:12,.0f}{ours / theirs:8.1f}")


if __name__ == "__main__":
    main()
