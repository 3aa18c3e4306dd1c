"""At 20,000 studies a search looks up, it does not read the archive: query plans and times on both databases."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from fileroom.archive.conditions import Match
from fileroom.archive.matching import match_key
from fileroom.archive.search import Query, Search
from fileroom.archive.select import bound, orders, statement_of
from fileroom.database import METADATA, Database
from fileroom.dicom.attributes import BY_KEYWORD, Level
from tests.support.rows import Rows

PATIENT, STUDY, SERIES, IMAGE = Level
STUDIES = 20_000

LOOKED_UP = [
    (STUDY, {"PatientName": "name0012*"}),
    (STUDY, {"PatientName": "name00123^given"}),
    (STUDY, {"PatientName": "name00123^*"}),
    (STUDY, {"PatientName": "name0012*", "StudyDate": "20200101-20251231", "ModalitiesInStudy": "MG"}),
    (STUDY, {"ReferringPhysicianName": "ref0012*"}),
    (STUDY, {"PatientID": "P123"}),
    (STUDY, {"PatientID": "P1234*"}),
    (STUDY, {"AccessionNumber": "A123"}),
    (STUDY, {"AccessionNumber": "A1234*"}),
    (STUDY, {"StudyDate": "20200101"}),
    (STUDY, {"StudyDate": "20200101-20200107"}),
    (STUDY, {"StudyInstanceUID": "1.123"}),
    (STUDY, {"StudyInstanceUID": "1.123\\1.124\\1.125"}),
    (STUDY, {}),
    (PATIENT, {"PatientName": "name0012*"}),
    (PATIENT, {"PatientID": "P123"}),
    (SERIES, {"StudyInstanceUID": "1.123"}),
    (SERIES, {"SeriesInstanceUID": "1.123.1"}),
    (SERIES, {"PatientID": "P123"}),
    (SERIES, {"StudyDate": "20200101"}),
    (SERIES, {"Modality": "MG"}),
    (SERIES, {}),
    (IMAGE, {"StudyInstanceUID": "1.123", "SeriesInstanceUID": "1.123.1"}),
    (IMAGE, {"SOPInstanceUID": "1.123.1.1"}),
    (IMAGE, {"SOPInstanceUID": "1.123.1.1\\1.124.1.1"}),
    (IMAGE, {"PatientID": "P123"}),
    (IMAGE, {}),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'index.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_server").new_database()
    database = _filled(url, STUDIES)
    yield database
    database.close()


def _filled(url: str, count: int) -> Database:
    database = Database(url)
    METADATA.create_all(database.engine)
    rows, dice = Rows(), random.Random(7)
    for n in range(count):
        study = rows.study(
            f"1.{n}",
            patient_name=f"Name{n // 4:05d}^Given{n % 4}",
            patient_id=f"P{n}",
            study_date=f"20{dice.randrange(10, 26)}{dice.randrange(1, 13):02d}{dice.randrange(1, 29):02d}",
            accession=f"A{n}",
            referring_name=f"Ref{n // 4:05d}^Doc",
            modalities="MG",
        )
        series = rows.one_series(study, f"1.{n}.1", modality="MG")
        rows.instance(series, f"1.{n}.1.1")
    rows.write(database)
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
    return database


@pytest.mark.parametrize(("level", "keys"), LOOKED_UP)
def test_no_table_is_read_from_end_to_end(many: Database, level: Level, keys: dict[str, str]) -> None:
    matches = {k: m for k, v in keys.items() if (m := match_key(BY_KEYWORD[k], v))}
    for order in orders(level, matches):
        for going_on in (False, True):
            if order == "found" and going_on:
                continue  # the same look-up, with one more condition on what it found
            scanned = _scanned(many, level, matches, order, going_on)
            assert not scanned, f"{order}: {scanned}"


def _scanned(many: Database, level: Level, matches: dict[str, Match], order: str, going_on: bool) -> list[str]:
    """Tables the plan reads whole."""
    compiled = statement_of(level, matches, order, going_on).compile(many.engine)
    values = {**compiled.params, **bound(matches, None, 100, 0)}
    if going_on:
        values |= {"last_date": "20200101", "k0": 1, "k1": 1, "k2": 1}
    with many.read() as connection:
        if many.is_sqlite:
            positions = tuple(values[name] for name in compiled.positiontup)  # type: ignore[attr-defined]
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", positions).fetchall()
            return [row[3] for row in plan if row[3].startswith("SCAN ")]
        text = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", values).scalar()
        plan = json.loads(text) if isinstance(text, str) else text
        return [node["Relation Name"] for node in _nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"]


def _nodes(node: dict) -> Iterator[dict]:  # type: ignore[type-arg]
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def test_equal_answers_take_as_long_in_a_large_archive_as_in_a_small_one(
    many: Database, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    if many.is_sqlite:
        few = _filled(f"sqlite:///{tmp_path_factory.mktemp('few') / 'index.sqlite'}", 100)
    else:
        few = _filled(request.getfixturevalue("postgres_server").new_database(), 100)
    for keys in ({"PatientName": "name00012*"}, {"AccessionNumber": "A50"}, {"PatientID": "P50"}):
        query = Query(STUDY, keys, limit=100)
        assert len(list(Search(few).find(query))) == len(list(Search(many).find(query)))
        ratio = min(_time(many, query) / _time(few, query) for _ in range(5))
        assert ratio < 2, (keys, ratio)  # a scan of 200 times as many rows would show as more
    few.close()


def _time(database: Database, query: Query) -> float:
    search = Search(database)
    list(search.find(query))
    times = []
    for _ in range(30):
        start = time.perf_counter()
        list(search.find(query))
        times.append(time.perf_counter() - start)
    return sorted(times)[10]
