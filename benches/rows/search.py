"""QIDO-RS by four clients and C-FIND by one: by name, date and accession number, at 100 and at 20,000 studies."""

from __future__ import annotations

import json

from benches import crew, measure
from benches.bench import Bench
from benches.clients import dimse, http
from benches.clients.failure import ClientFailed
from benches.rows import questions
from benches.rows.questions import ACCESSION, DATE, NAME, RARE_NAME, Question
from benches.sides import FILEROOM, ORTHANC, Side
from benches.table import Demand, Line, compare

_JSON = "application/dicom+json"


def _asking(question: Question) -> measure.Hire:
    def hire(side: Side, turn: int, client: int) -> crew.Step:
        connection = http.Connection(side.web)

        def step(place: int) -> None:
            number = turn * 1000 + client * 100 + place
            connection.get(questions.qido_path(side.dicomweb, question.keys(number)), _JSON)

        return step

    return hire


def _finding(question: Question) -> measure.Hire:
    def hire(side: Side, turn: int, _client: int) -> crew.Step:
        association = dimse.Association(side.dicom, side.aet, [dimse.STUDY_FIND])

        def step(place: int) -> None:
            association.find(questions.identifier(question.keys(turn * 1000 + place)))

        return step

    return hire


def _qido(bench: Bench, question: Question, *, crowded: bool) -> Line:
    place = "20,000" if crowded else "100"
    bench.say(f"QIDO {question.name} at {place}")
    sides = bench.readers()
    _check_equal_answers(bench, question)
    steps = {FILEROOM: bench.count(100, 10), ORTHANC: bench.count(4 if crowded else 25, 2)}
    hire = _asking(question)
    series = measure.take_turns(
        sides,
        bench.count(3 if crowded else 5, 1),
        lambda side, turn: measure.turn(side, turn, 4, steps[side.name], hire),
    )
    demand = Demand(rate=question.must_crowded if crowded else question.must_at_100, reach="20x" if crowded else "5x")
    if FILEROOM in series:
        bench.figures[f"qido {question.name} p95 {place}"] = series[FILEROOM].latency(0.95)
    return compare(f"QIDO {question.name}, {place} studies, 4 clients", series, sides, demand)


def _check_equal_answers(bench: Bench, question: Question) -> None:
    """Both sides must find the same number of studies, or the row measures nothing."""
    counts = {}
    for side in bench.library.sides:
        if side.failed:
            continue
        try:
            path = questions.qido_path(side.dicomweb, question.keys(1), limit=100)
            counts[side.name] = len(json.loads(http.Connection(side.web).get(path, _JSON, keep=True).body or b"[]"))
        except (ClientFailed, OSError) as error:
            side.failed = str(error)
    if len(set(counts.values())) > 1:
        bench.notes.append(f"QIDO {question.name}: different numbers of matches, {counts}")


def run_qido(bench: Bench) -> list[Line]:
    return [_qido(bench, question, crowded=False) for question in (NAME, DATE, ACCESSION)]


def run_qido_crowded(bench: Bench) -> list[Line]:
    """At 20,000 studies; and for equal matches against the same question asked at 100."""
    lines = [_qido(bench, question, crowded=True) for question in (NAME, DATE, RARE_NAME)]
    before = bench.figures.get("qido name with ten matches p95 100")
    after = bench.figures.get("qido name with ten matches p95 20,000")
    if before and after:
        growth = after / before
        lines.append(
            Line(
                path="QIDO, equal matches, Fileroom's p95 at 20,000 over at 100",
                fileroom=f"{after * 1000:.3g} ms over {before * 1000:.3g} ms: {growth:.2f}",
                must="1.3 at most",
                met="yes" if growth <= 1.3 else "no",
            )
        )
    return lines


def measure_rare(bench: Bench) -> None:
    """A question with ten matches at 100 studies, to be asked again in the crowd."""
    _qido(bench, RARE_NAME, crowded=False)


def _find(bench: Bench, question: Question, *, crowded: bool) -> Line:
    place = "20,000" if crowded else "100"
    bench.say(f"C-FIND {question.name} at {place}")
    sides = bench.readers()
    hire = _finding(question)
    steps = {FILEROOM: bench.count(400, 5), ORTHANC: bench.count(4 if crowded else 400, 2)}
    series = measure.take_turns(
        sides,
        bench.count(3 if crowded else 5, 1),
        lambda side, turn: measure.turn(side, turn, 1, steps[side.name], hire),
    )
    return compare(f"C-FIND {question.name}, {place} studies", series, sides, Demand(rate=3, reach="4x"))


def run_find(bench: Bench) -> list[Line]:
    return [_find(bench, question, crowded=False) for question in (NAME, DATE, ACCESSION)]


def run_find_crowded(bench: Bench) -> list[Line]:
    return [_find(bench, question, crowded=True) for question in (NAME, DATE, ACCESSION)]
