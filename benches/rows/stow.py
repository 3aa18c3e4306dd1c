"""STOW-RS: four clients posting CT slices, one or a hundred a request (PS3.18 10.5)."""

from __future__ import annotations

from collections.abc import Sequence

from benches import crew, measure
from benches.bench import Bench
from benches.clients import http
from benches.clients.failure import ClientFailed
from benches.sides import Side
from benches.table import Demand, Line, compare
from tests.support import corpus
from tests.support.corpus.instance import Instance

_BOUNDARY = "fileroom-bench"
_TYPE = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
_HEAD = f"\r\n--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()


def body(instances: Sequence[Instance]) -> list[bytes | memoryview]:
    """A multipart/related body of those objects, in pieces, pixels not copied."""
    pieces: list[bytes | memoryview] = []
    for one in instances:
        pieces += [_HEAD, one.prefix, *one.parts]
    return [*pieces, f"\r\n--{_BOUNDARY}--\r\n".encode()]


def run(bench: Bench) -> list[Line]:
    lines = []
    with bench.sides("stow") as sides:
        for objects, requests, base in ((1, bench.count(50, 5), 3000), (100, bench.count(2, 1), 5000)):
            per_request = objects if not bench.quick else min(objects, 10)
            lines.append(_line(bench, sides, per_request, requests, base))
    return lines


def _line(bench: Bench, sides: list[Side], objects: int, requests: int, base: int) -> Line:
    path = f"STOW CT, 4 clients, {objects} object{'s' * (objects > 1)} a request"
    bench.say(path)
    for side in sides:
        side.failed = ""

    def hire(side: Side, turn: int, client: int) -> crew.Step:
        study = list(corpus.ct_study(base + turn * 10 + client, slices=objects * requests))
        bodies = [body(study[place * objects : (place + 1) * objects]) for place in range(requests)]
        connection = http.Connection(side.web)

        def step(place: int) -> None:
            answer = connection.post(f"{side.dicomweb}/studies", _TYPE, "application/dicom+json", bodies[place])
            if answer.status != 200 or answer.body.count(b"00081155") < objects:
                raise ClientFailed(f"STOW said {answer.status}: {answer.body[:200]!r}")

        return step

    series = measure.take_turns(
        sides, bench.pairs, lambda side, turn: measure.turn(side, turn, 4, requests, hire, objects)
    )
    return compare(path, series, sides, Demand(rate=2, reach="3x" if objects == 1 else "4x"), unit=" objects/s")
