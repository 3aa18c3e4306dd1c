"""C-STORE: CT over 1 and 4 associations, mammograms and small objects over 4.

The sender is the lean one of `benches.clients.dimse`; SENDER=storescu takes dcmtk's instead. The limit is the same
sender to `storescp --ignore`, which receives and throws away.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from benches import crew, measure
from benches.bench import Bench
from benches.clients import dimse
from benches.clients.failure import ClientFailed
from benches.sides import Side, start_stock_orthanc
from benches.sinks import discarding_storescp
from benches.table import Demand, Line, compare
from tests.support import corpus, peers
from tests.support.corpus.instance import Instance, write_all

# The objects of one turn (number) and one association (client).
Make = Callable[[int, int], Sequence[Instance]]


def sending(make: Make) -> measure.Hire:
    """Each step of a client sends the next of its objects."""

    def hire(side: Side, turn: int, client: int) -> crew.Step:
        hand = list(make(turn, client))
        association = dimse.Association(side.dicom, side.aet, sorted({one.sop_class_uid for one in hand}))

        def step(place: int) -> None:
            association.store(hand[place].sop_class_uid, hand[place].sop_uid, hand[place].parts)

        return step

    return hire


def sending_by_storescu(make: Make, folder: Path, *, stock: bool) -> measure.Hire:
    """A client's one step is dcmtk's storescu with all its objects; `stock` leaves Nagle on and the PDU at 16 KiB."""
    environment = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}
    options = [] if stock else ["-pdu", "131072", "--max-send-pdu", "131072"]
    if not stock:
        environment["TCP_NODELAY"] = "1"

    def hire(side: Side, turn: int, client: int) -> crew.Step:
        files = write_all(make(turn, client), folder / f"{turn}-{client}")
        os.sync()
        command = [peers.dcmtk("storescu"), "-xe", *options, "-aec", side.aet, "127.0.0.1", str(side.dicom)]

        def step(_place: int) -> None:
            done = subprocess.run([*command, *files], capture_output=True, text=True, timeout=600, check=False)
            if done.returncode or "E:" in done.stderr or "Status: Failed" in done.stderr:
                raise ClientFailed(f"storescu: {done.stderr.strip()[-200:]}")

        return step

    return hire


def _line(bench: Bench, sides: list[Side], path: str, clients: int, steps: int, make: Make, demand: Demand) -> Line:
    bench.say(path)
    for side in sides:
        side.failed = ""
    by_storescu = os.environ.get("SENDER") == "storescu"
    hire = sending_by_storescu(make, bench.folder / "files", stock=False) if by_storescu else sending(make)
    each, per_step = (1, steps) if by_storescu else (steps, 1)
    with discarding_storescp(bench.folder / "sink") as sink:
        series = measure.take_turns(
            [*sides, sink], bench.pairs, lambda side, number: measure.turn(side, number, clients, each, hire, per_step)
        )
    limit = series["storescp"].rate if "storescp" in series else 0.0
    path += ", sender storescu" if by_storescu else ""
    return compare(path, series, sides, demand, limit=limit, limit_name="storescp --ignore")


def run_ct(bench: Bench) -> list[Line]:
    """CT slices: every turn sends studies nobody has seen."""
    lines = []
    with bench.sides("store_ct") as sides:
        for clients, rate in ((1, 1.7), (4, 2.2)):
            steps = bench.count(100, 10)

            def make(turn: int, client: int, base: int = 1000 * clients, steps: int = steps) -> Sequence[Instance]:
                return list(corpus.ct_study(base + turn * 10 + client, slices=steps))

            path = f"C-STORE CT, {clients} association" + "s" * (clients > 1)
            demand = Demand(rate=rate, cpu=2, reach_share=0.5)
            lines.append(_line(bench, sides, path, clients, steps, make, demand))
    return lines


def run_stock(bench: Bench) -> list[Line]:
    """dcmtk's storescu as it comes, to Fileroom and to Orthanc as it comes: both ends' Nagle is on but ours."""
    bench.say("C-STORE CT, stock sender")
    steps = bench.count(60, 10)
    hire = sending_by_storescu(
        lambda turn, client: list(corpus.ct_study(9000 + turn * 10 + client, slices=steps)),
        bench.folder / "files",
        stock=True,
    )
    with bench.sides("store_stock", start_stock_orthanc) as sides:
        series = measure.take_turns(
            sides, bench.count(3, 1), lambda side, number: measure.turn(side, number, 1, 1, hire, steps)
        )
        return [compare("C-STORE CT, stock storescu, 1 association, stock peer", series, sides, Demand(rate=6))]


def run_mammograms(bench: Bench) -> list[Line]:
    with bench.sides("store_mg") as sides:
        exams = bench.count(2, 1)

        def make(turn: int, client: int) -> Sequence[Instance]:
            first = 1000 + turn * 100 + client * 10
            return [one for exam in range(exams) for one in corpus.mammogram_exam(first + exam)]

        demand = Demand(rate=1.5, reach_share=0.5)
        return [_line(bench, sides, "C-STORE mammograms, 4 associations", 4, exams * 4, make, demand)]


def run_small(bench: Bench) -> list[Line]:
    with bench.sides("store_small") as sides:
        steps = bench.count(250, 25)

        def make(turn: int, client: int) -> Sequence[Instance]:
            return list(corpus.small_studies(steps, first=100_000 + (turn * 4 + client) * steps))

        demand = Demand(rate=2.5, reach="4x")
        return [_line(bench, sides, "C-STORE small objects, 4 associations", 4, steps, make, demand)]
