"""WADO-RS frames, four clients: CT at random, mammograms, a tomosynthesis whose frames were asked for before or not."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benches import crew, measure
from benches.bench import Bench
from benches.clients import http
from benches.clients.failure import ClientFailed
from benches.library import send
from benches.sides import FILEROOM, ORTHANC, Side
from benches.sinks import nginx
from benches.table import Demand, Line, compare
from tests.support import corpus
from tests.support.corpus.instance import Instance

_ACCEPT = 'multipart/related; type="application/octet-stream"'
Choice = tuple[Instance, int]  # an object and a frame of it, from 1


def path_of(side: Side, instance: Instance, frame: int) -> str:
    if side.name == "nginx":
        return "/frame"
    series = f"{side.dicomweb}/studies/{instance.study_uid}/series/{instance.series_uid}"
    return f"{series}/instances/{instance.sop_uid}/frames/{frame}"


def reading(choices: Sequence[Choice]) -> measure.Hire:
    """Each step fetches the next choice; clients start at different places."""

    def hire(side: Side, turn: int, client: int) -> crew.Step:
        connection = http.Connection(side.web)
        order = list(choices)
        random.Random(f"{turn} {client}").shuffle(order)

        def step(place: int) -> None:
            instance, frame = order[place % len(order)]
            got = connection.get(path_of(side, instance, frame), _ACCEPT).body_bytes
            if got < instance.frame_bytes:
                raise ClientFailed(f"{got} bytes of a frame of {instance.frame_bytes}")

        return step

    return hire


def line(bench: Bench, name: str, choices: Sequence[Choice], steps: dict[str, int], demand: Demand, pairs: int) -> Line:
    """Frames by four clients, with nginx on the same bytes as the limit."""
    bench.say(name)
    sides = bench.readers()
    hire = reading(choices)
    with nginx(bench.folder / "nginx", {"frame": choices[0][0].frame(1)}) as limit:
        series = measure.take_turns(
            [*sides, limit],
            pairs,
            lambda side, turn: measure.turn(side, turn, 4, steps.get(side.name, steps[FILEROOM]), hire),
        )
    nginx_rate = series["nginx"].rate if "nginx" in series else 0.0
    if FILEROOM in series:
        bench.figures[name] = series[FILEROOM].rate
    return compare(name, series, sides, demand, limit=nginx_rate, limit_name="nginx")


def ct_choices(bench: Bench) -> list[Choice]:
    return [(one, 1) for study in bench.library.ct for one in study]


def run_ct(bench: Bench) -> list[Line]:
    steps = {FILEROOM: bench.count(300, 20), ORTHANC: bench.count(80, 10)}
    demand = Demand(rate=4, reach_share=0.5)
    return [line(bench, "CT frames at random, 4 clients", ct_choices(bench), steps, demand, bench.pairs)]


def run_mammograms(bench: Bench) -> list[Line]:
    steps = {FILEROOM: bench.count(15, 2), ORTHANC: bench.count(8, 2)}
    choices = [(one, 1) for one in bench.library.mammograms]
    demand = Demand(rate=1.5, reach_share=0.5)
    return [line(bench, "mammogram frames, 4 clients", choices, steps, demand, bench.pairs)]


def run_tomosynthesis(bench: Bench) -> list[Line]:
    volume = bench.library.tomosynthesis
    choices = [(volume, frame) for frame in range(1, len(volume.pixels) // volume.frame_bytes + 1)]
    steps = {FILEROOM: bench.count(50, 4), ORTHANC: bench.count(2, 1)}
    demand = Demand(rate=1.5, reach_share=0.5)
    name = "tomosynthesis frames, warm, 4 clients"
    return [line(bench, name, choices, steps, demand, bench.count(3, 1)), _first(bench)]


def _first(bench: Bench) -> Line:
    """One frame of a volume that has just come in, turn after turn another volume."""
    name = "tomosynthesis frame, the first asked for"
    bench.say(name)

    def one_turn(side: Side, turn: int) -> measure.Sample:
        volume = corpus.tomosynthesis(100 + turn, frames=8 if bench.quick else 60)
        send(side, [volume], associations=1)
        return measure.turn(side, turn, 1, 1, reading([(volume, 7)]))

    sides = bench.readers()
    series = measure.take_turns(sides, bench.count(3, 1), one_turn)
    return compare(name, series, sides, Demand(rate=50))
