"""WADO-RS metadata: of a series of 100 CT slices, for the first time and again; of a tomosynthesis."""

from __future__ import annotations

from benches import crew, measure
from benches.bench import Bench
from benches.clients import http
from benches.clients.failure import ClientFailed
from benches.sides import FILEROOM, Side
from benches.sinks import nginx
from benches.table import Demand, Line, compare
from tests.support.corpus.instance import Instance

_JSON = "application/dicom+json"


def path_of(side: Side, instance: Instance) -> str:
    return f"{side.dicomweb}/studies/{instance.study_uid}/series/{instance.series_uid}/metadata"


def _reading(pick: list[Instance], least_bytes: int) -> measure.Hire:
    """Turn by turn the next of `pick`; nginx has the answer in a file."""

    def hire(side: Side, turn: int, _client: int) -> crew.Step:
        connection = http.Connection(side.web)
        path = "/metadata" if side.name == "nginx" else path_of(side, pick[turn % len(pick)])

        def step(_place: int) -> None:
            got = connection.get(path, _JSON).body_bytes
            if got < least_bytes:
                raise ClientFailed(f"only {got} bytes of metadata")

        return step

    return hire


def run(bench: Bench) -> list[Line]:
    sides = bench.readers()
    firsts = [study[0] for study in bench.library.ct]
    least = 1000 * len(bench.library.ct[0])
    bench.say("series metadata, first")
    first = measure.take_turns(
        sides,
        min(bench.pairs, len(firsts) - 1),
        lambda side, turn: measure.turn(side, turn, 1, 1, _reading(firsts, least)),
    )
    lines = [compare("series metadata (100 CT slices), first time", first, sides, Demand(rate=2))]
    bench.say("series metadata, again")
    lines.append(_again(bench, "series metadata (100 CT slices), again"))
    bench.say("tomosynthesis metadata")
    one = _reading([bench.library.tomosynthesis], 1000)
    tomo = measure.take_turns(sides, bench.count(3, 1), lambda side, turn: measure.turn(side, turn, 1, 2, one))
    lines.append(compare("tomosynthesis metadata", tomo, sides, Demand(rate=20)))
    return lines


def _again(bench: Bench, name: str) -> Line:
    sides = bench.readers()
    first, least = bench.library.ct[0][0], 1000 * len(bench.library.ct[0])
    answer = b"[]"
    for side in sides:
        if side.name == FILEROOM and not side.failed:
            try:
                answer = http.Connection(side.web).get(path_of(side, first), _JSON, keep=True).body
            except (ClientFailed, OSError) as error:
                side.failed = str(error)
    steps = bench.count(20, 3)
    with nginx(bench.folder / "nginx", {"metadata": answer}) as limit:
        hire = _reading([first], least if len(answer) > least else 0)
        series = measure.take_turns(
            [*sides, limit], bench.pairs, lambda side, turn: measure.turn(side, turn, 1, steps, hire)
        )
    nginx_rate = series["nginx"].rate if "nginx" in series and len(answer) > least else 0.0
    demand = Demand(rate=4, reach_share=0.5)
    return compare(name, series, sides, demand, limit=nginx_rate, limit_name="nginx")
