"""A whole CT study: by WADO-RS as stored, by C-GET, by C-MOVE to a storescp that throws it away."""

from __future__ import annotations

import os

from benches import crew, measure
from benches.bench import Bench
from benches.clients import dimse, http
from benches.clients.failure import ClientFailed
from benches.rows.store import sending_by_storescu
from benches.sides import FILEROOM, Side
from benches.sinks import discarding_storescp, nginx
from benches.table import Demand, Line, compare
from tests.support import corpus
from tests.support.corpus.ct import SOP_CLASS
from tests.support.corpus.instance import Elements, Instance

_ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def _keys(study: list[Instance]) -> Elements:
    return {0x00080052: ("CS", "STUDY"), 0x0020000D: ("UI", study[0].study_uid)}


def _wado(studies: list[list[Instance]]) -> measure.Hire:
    def hire(side: Side, turn: int, client: int) -> crew.Step:
        connection = http.Connection(side.web)

        def step(place: int) -> None:
            study = studies[(turn + client + place) % len(studies)]
            path = "/study" if side.name == "nginx" else f"{side.dicomweb}/studies/{study[0].study_uid}"
            got = connection.get(path, _ACCEPT).body_bytes
            if got < sum(len(one.header) + len(one.pixels) for one in study):
                raise ClientFailed(f"{got} bytes are less than the study")

        return step

    return hire


def _get(studies: list[list[Instance]]) -> measure.Hire:
    def hire(side: Side, turn: int, _client: int) -> crew.Step:
        association = dimse.Association(side.dicom, side.aet, [dimse.STUDY_GET, SOP_CLASS], receives=True)

        def step(place: int) -> None:
            study = studies[(turn + place) % len(studies)]
            if association.get(_keys(study)).received != len(study):
                raise ClientFailed("C-GET did not bring every object")

        return step

    return hire


def _move(studies: list[list[Instance]]) -> measure.Hire:
    def hire(side: Side, turn: int, _client: int) -> crew.Step:
        association = dimse.Association(side.dicom, side.aet, [dimse.STUDY_MOVE])

        def step(place: int) -> None:
            study = studies[(turn + place) % len(studies)]
            if association.move(_keys(study), "SINK").completed not in (0, len(study)):
                raise ClientFailed("C-MOVE did not send every object")

        return step

    return hire


def wado_line(bench: Bench, clients: int) -> Line:
    name = f"CT study by WADO-RS, as stored, {clients} client{'s' * (clients > 1)}"
    bench.say(name)
    sides, studies = bench.readers(), bench.library.ct
    objects, steps = len(studies[0]), bench.count(4, 1)
    whole = b"".join(one.part10 for one in studies[0])
    hire = _wado(studies)
    with nginx(bench.folder / "nginx", {"study": whole}) as limit:
        series = measure.take_turns(
            [*sides, limit], bench.pairs, lambda side, turn: measure.turn(side, turn, clients, steps, hire, objects)
        )
    nginx_rate = series["nginx"].rate if "nginx" in series else 0.0
    return _remember(bench, name, series, nginx_rate, "nginx", Demand(rate=1, reach_share=0.7))


def _remember(
    bench: Bench, name: str, series: dict[str, measure.Series], limit: float, limit_name: str, demand: Demand
) -> Line:
    if FILEROOM in series:
        bench.figures[name] = series[FILEROOM].rate
    sides = bench.library.sides
    return compare(name, series, sides, demand, unit=" objects/s", limit=limit, limit_name=limit_name)


def get_line(bench: Bench) -> Line:
    bench.say("C-GET")
    sides, studies = bench.readers(), bench.library.ct
    series = measure.take_turns(
        sides, bench.pairs, lambda side, turn: measure.turn(side, turn, 1, 2, _get(studies), len(studies[0]))
    )
    return _remember(bench, "CT study by C-GET", series, _storescu_rate(bench), "storescu", Demand(1.2, 0, "", 0.7))


def move_line(bench: Bench) -> Line:
    bench.say("C-MOVE")
    sides, studies = bench.readers(), bench.library.ct
    with discarding_storescp(bench.folder / "sink") as sink:
        for side in sides:
            try:
                side.know_destination("SINK", sink.dicom)
            except (ClientFailed, OSError) as error:
                side.failed = side.failed or str(error)
        series = measure.take_turns(
            sides, bench.pairs, lambda side, turn: measure.turn(side, turn, 1, 2, _move(studies), len(studies[0]))
        )
    return _remember(bench, "CT study by C-MOVE", series, _storescu_rate(bench), "storescu", Demand(1.2, 0, "", 0.7))


def _storescu_rate(bench: Bench) -> float:
    """Objects a second of dcmtk's storescu to `storescp --ignore`, measured once."""
    if "storescu" not in bench.figures:
        slices = bench.count(100, 10)
        hire = sending_by_storescu(
            lambda turn, _: list(corpus.ct_study(8000 + turn, slices=slices)), bench.folder / "files", stock=False
        )
        with discarding_storescp(bench.folder / "sink") as sink:
            series = measure.take_turns(
                [sink], bench.pairs, lambda side, turn: measure.turn(side, turn, 1, 1, hire, slices)
            )
        os.sync()
        bench.figures["storescu"] = series["storescp"].rate if "storescp" in series else 0.0
    return bench.figures["storescu"]


def run_wado(bench: Bench) -> list[Line]:
    return [wado_line(bench, 1), wado_line(bench, 4)]


def run_get(bench: Bench) -> list[Line]:
    return [get_line(bench)]


def run_move(bench: Bench) -> list[Line]:
    return [move_line(bench)]
