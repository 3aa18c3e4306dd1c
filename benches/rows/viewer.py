"""Studies opened in the viewer, in Chromium over a long line: the same OHIF from Fileroom, and from nginx and Orthanc.

Cold is a browser that opens its first study here, daily one that has opened others before, so that it keeps the
viewer's files and compiled scripts; no browser opens a study twice. Both come from the page with the list of studies.
Turns of both sides alternate.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from playwright.sync_api import Playwright

from benches.bench import Bench
from benches.clients import http
from benches.clients.browser import Opening, Reader, browsers, reader
from benches.clients.failure import ClientFailed
from benches.front import front
from benches.library import send
from benches.link import BYTES_A_SECOND, ROUND_TRIP_SECONDS, link
from benches.processes import settle
from benches.sides import FILEROOM, ORTHANC, Side
from benches.table import Line
from fileroom.viewer.files import About
from fileroom.viewer.links import viewer_path
from fileroom.viewer.pages import installed_files
from tests.support import corpus
from tests.support.corpus.instance import Instance
from tests.support.peers import MissingPeer

Exam = Sequence[Instance]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Studies: of each kind one for each turn, and one to begin with."""

    turns: int
    slices: int

    def ct(self, number: int) -> Exam:
        return list(corpus.ct_study(500 + number, slices=self.slices))

    def mammogram(self, number: int) -> Exam:
        return list(corpus.mammogram_exam(500 + number))[:1]

    def beside_prior(self, number: int) -> tuple[Exam, Exam]:
        """Four views each of one person's two examinations, the newer first."""
        both = (5 * number + 5, 5 * number + 4)
        newer, older = sorted(both, key=lambda one: corpus.visit("mammography", one).study_date, reverse=True)
        return list(corpus.mammogram_exam(newer)), list(corpus.mammogram_exam(older))

    def every(self) -> list[Instance]:
        exams = [make(number) for make in (self.ct, self.mammogram) for number in range(self.turns + 1)]
        exams += [exam for number in range(self.turns) for exam in self.beside_prior(number)]
        return [one for exam in exams for one in exam]


@dataclass(slots=True)
class Desk:
    """Where the studies of one side are read, and what was seen there."""

    side: Side
    address: str  # of the far end of the line
    openings: dict[str, list[Opening]] = field(default_factory=dict)

    def read(self, row: str, who: Reader, exams: Sequence[Exam], panes: int = 1, loaded: int = 0) -> None:
        """Opens these examinations beside each other, and notes it under `row`. A side that fails is out."""
        modality = "CT" if exams[0][0].sop_class_uid == corpus.ct.SOP_CLASS else "MG"
        path = viewer_path([exam[0].study_uid for exam in exams], [modality])
        try:
            opening = who.open(f"{self.address}/studies", self.address + path, panes=panes, loaded=loaded)
        except ClientFailed as error:
            self.side.failed = str(error)
            return
        self.openings.setdefault(row, []).append(opening)


CT, MG, PRIORS = "CT", "mammogram", "beside prior"
COLD, DAILY = "cold browser", "daily browser"


def run(bench: Bench) -> list[Line]:
    """Every row of the viewer; one line that says why when there is no viewer or no browser."""
    about = installed_files().about
    if about is None:
        return [Line("studies in the viewer", "failed: the viewer was not fetched: `make env` does")]
    shelf = Shelf(bench.count(3, 1), bench.count(300, 20))
    try:
        with bench.sides("viewer") as sides, _desks(bench, sides, about) as desks, browsers() as playwright:
            bench.say("loading CT and mammograms")
            for side in sides:
                send(side, shelf.every(), associations=4)
            for side in sides:
                settle(side.pid, timeout_seconds=bench.count(60, 5))
            _daily(bench, playwright, desks, shelf)
            _cold(bench, playwright, desks, shelf)
    except (MissingPeer, ClientFailed) as error:
        return [Line("studies in the viewer", f"failed: {error}")]
    bench.notes.append(
        f"Viewer: over a line of {ROUND_TRIP_SECONDS * 1000:g} ms round trip and {BYTES_A_SECOND * 8 / 1e6:g} Mbit/s "
        "(benches/link.py), WebGL drawn in software. An image is there when cornerstone has rendered it and the canvas "
        f"is not black. Medians of {shelf.turns} interleaved pairs."
    )
    return _lines(desks, shelf)


@contextlib.contextmanager
def _desks(bench: Bench, sides: list[Side], about: About) -> Iterator[list[Desk]]:
    (ours,) = (side for side in sides if side.name == FILEROOM)
    page = http.Connection(ours.web).get("/viewer/viewer?StudyInstanceUIDs=1", "text/html", keep=True).body.decode()
    with contextlib.ExitStack() as stack:
        desks = []
        for side in sides:
            port = side.web
            if side.name == ORTHANC:
                port = stack.enter_context(front(bench.folder / "front", side, about, page))
            far = stack.enter_context(link(port, bench.folder / f"link-{side.name}.log"))
            desks.append(Desk(side, f"http://127.0.0.1:{far}"))
        yield desks


def _take_turns(desks: list[Desk], turn: int, read: Callable[[Desk], None]) -> None:
    for desk in desks if turn % 2 else reversed(desks):
        if not desk.side.failed:
            read(desk)


def _cold(bench: Bench, playwright: Playwright, desks: list[Desk], shelf: Shelf) -> None:
    for turn in range(shelf.turns):
        for kind, exam in ((CT, shelf.ct(turn)), (MG, shelf.mammogram(turn))):
            bench.say(f"cold browser, {kind}, turn {turn + 1}")

            def read(desk: Desk, kind: str = kind, exam: Exam = exam) -> None:
                with reader(playwright) as who:
                    desk.read(f"{kind} {COLD}", who, [exam])

            _take_turns(desks, turn, read)


def _daily(bench: Bench, playwright: Playwright, desks: list[Desk], shelf: Shelf) -> None:
    with contextlib.ExitStack() as stack:
        who = {desk.side.name: stack.enter_context(reader(playwright)) for desk in desks}
        bench.say("a first day")
        for exam in (shelf.ct(shelf.turns), shelf.mammogram(shelf.turns)) * 2:
            _take_turns(desks, 0, lambda desk, exam=exam: desk.read("", who[desk.side.name], [exam]))
        for turn in range(shelf.turns):
            bench.say(f"daily browser, turn {turn + 1}")
            ct, mammogram, pair = shelf.ct(turn), shelf.mammogram(turn), shelf.beside_prior(turn)

            def whole(desk: Desk, exam: Exam = ct) -> None:
                desk.read(f"{CT} {DAILY}", who[desk.side.name], [exam], loaded=len(exam))

            def single(desk: Desk, exam: Exam = mammogram) -> None:
                desk.read(f"{MG} {DAILY}", who[desk.side.name], [exam])

            def eight(desk: Desk, pair: Sequence[Exam] = pair) -> None:
                desk.read(PRIORS, who[desk.side.name], pair, panes=8)

            for read in (whole, single, eight):
                _take_turns(desks, turn, read)


def _lines(desks: list[Desk], shelf: Shelf) -> list[Line]:
    def first(opening: Opening) -> float:
        return opening.panes[0]

    lines = []
    sooner = {}
    for title, kind in ((f"first image of a CT of {shelf.slices}", CT), ("first image of a 17 MB mammogram", MG)):
        for browser in (COLD, DAILY):
            line, ratio = _line(f"{title}, {browser}", desks, f"{kind} {browser}", first)
            sooner[browser] = max(ratio, sooner.get(browser, 0.0))
            lines.append(line)
    whole = f"all {shelf.slices} images of the CT loaded, {DAILY}"
    lines.append(_line(whole, desks, f"{CT} {DAILY}", lambda opening: opening.loaded[shelf.slices - 1])[0])
    lines.append(_line(f"four views beside their priors: a first image, {DAILY}", desks, PRIORS, first)[0])
    lines.append(
        _line(f"four views beside their priors: all eight, {DAILY}", desks, PRIORS, lambda opening: opening.panes[7])[0]
    )
    for browser, ratio in sooner.items():
        met = "yes" if ratio >= 1.5 else "no"
        lines.append(
            Line(f"the better one of the two first images, {browser}", "", "", f"{ratio:.2f}x", must="1.5x", met=met)
        )
    return lines


def _line(title: str, desks: list[Desk], row: str, when: Callable[[Opening], float]) -> tuple[Line, float]:
    """The line, and how many times as long Orthanc took."""
    found = {desk.side.name: [when(opening) for opening in desk.openings.get(row, [])] for desk in desks}
    failed = {desk.side.name: desk.side.failed and f"failed: {desk.side.failed}" for desk in desks}
    told = {
        name: " ".join(filter(None, (_seconds(found.get(name)), failed.get(name, "not started"))))
        for name in (FILEROOM, ORTHANC)
    }
    ratio = 0.0
    if found.get(FILEROOM) and found.get(ORTHANC):
        ratio = statistics.median(found[ORTHANC]) / statistics.median(found[FILEROOM])
    shown = f"{ratio:.2f}x" if ratio else ""
    met = ("yes" if ratio >= 1 else "no") if ratio else ""
    return Line(title, told[FILEROOM], told[ORTHANC], shown, must="1x (reach 2x)", met=met), ratio


def _seconds(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    return f"{statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"
