"""The study list: found by the beginnings of words, sorted every way, gone through without a gap or a repeat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.hide import hide, unhide
from fileroom.archive.listing import Narrowing, Order, StudyLine, list_studies, modalities_here, study_total
from fileroom.archive.word_maker import WordMaker
from fileroom.database import METADATA, Database
from tests.support.rows import Rows


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('listing') / 'index.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_server").new_database()
    database = Database(url)
    METADATA.create_all(database.engine)
    _studies().write(database)
    words = WordMaker(database)
    while words.step():
        pass
    yield database
    database.close()


def _studies() -> Rows:
    rows = Rows()
    values: list[dict[str, str]] = [
        {"patient_name": "Müller^Änne", "patient_id": "P-001", "study_date": "20260101", "modalities": "CT\\SR"},
        {"patient_name": "Moorcroft^Ann", "patient_id": "P-002", "study_date": "20231007", "modalities": "MG"},
        {
            "patient_name": "Yamada^Tarou=山田^太郎",
            "patient_id": "Q-001",
            "study_date": "20240229",
            "accession": "2023-77",
        },
        {"patient_name": "O'Brien^Ct", "patient_id": "Q-002", "accession": "ACC9", "modalities": "MR"},
        {"patient_id": "R_1%", "study_date": "20250101", "study_description": "Knee left, 3 views"},
        {"patient_name": "=山田", "study_date": "20260101", "study_description": "<script>alert(1)</script>"},
    ]
    for number, given in enumerate(values):
        study = rows.study(f"1.{number}", **given)
        modality = given.get("modalities", "").partition("\\")[0] or None
        rows.instance(rows.one_series(study, f"1.{number}.1", modality=modality), f"1.{number}.1.1")
    return rows


def _found(database: Database, text: str = "", **more: str) -> list[str]:
    return sorted(line.study_uid for line in list_studies(database, Narrowing(text, **more)))


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        ("muller", ["1.0"]),
        ("MÜLL änn", ["1.0"]),
        ("moorcroft, ann", ["1.1"]),
        ("p-00", ["1.0", "1.1"]),
        ("001", ["1.0", "1.2"]),
        ("o'brien", ["1.3"]),
        ("brien", ["1.3"]),
        ("ct", ["1.0", "1.3"]),
        ("山田", ["1.2", "1.5"]),
        ("knee lef", ["1.4"]),
        ("left knee", ["1.4"]),
        ("ee", []),
        ("2026-01", ["1.0", "1.5"]),
        ("20231007", ["1.1"]),
        ("2023", ["1.1", "1.2"]),
        ("%", []),
        ("r_1%", ["1.4"]),
        ("=ct", ["1.0", "1.3"]),
        ("<script>", ["1.5"]),
        ("muller knee", []),
        ("   ", ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]),
        ("\ufffe\U0010ffff", []),
    ],
)
def test_words_find_by_their_beginning(database: Database, text: str, uids: list[str]) -> None:
    assert _found(database, text) == uids


def test_modality_and_dates_narrow_exactly(database: Database) -> None:
    assert _found(database, modality="CT") == ["1.0"]
    assert _found(database, modality="C") == []
    assert _found(database, from_date="20240229", to_date="20250101") == ["1.2", "1.4"]
    assert _found(database, "muller", modality="SR", from_date="20260101") == ["1.0"]
    assert modalities_here(database) == ["CT", "MG", "MR", "SR"]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("text", ["", "2026"])
def test_every_order_is_gone_through_without_a_gap_or_a_repeat(
    database: Database, order: Order, descending: bool, text: str
) -> None:
    whole = list_studies(database, Narrowing(text), order, descending=descending)
    walked: list[StudyLine] = []
    while len(walked) <= len(whole):
        after = walked[-1].place if walked else None
        more = list_studies(database, Narrowing(text), order, descending=descending, after=after, limit=1)
        if not more:
            break
        walked += more
    assert [line.study_uid for line in walked] == [line.study_uid for line in whole]
    values = [line.place.value for line in whole if line.place.value is not None]
    assert values == sorted(values, reverse=descending)
    assert [line.place.value is None for line in whole] == sorted(line.place.value is None for line in whole)


def test_a_hidden_study_is_not_listed_or_counted(database: Database) -> None:
    assert study_total(database) == 6
    hide(database, "1.0", "test", "tester")
    assert _found(database, "muller") == []
    assert study_total(database) == 5
    unhide(database, "1.0")
    assert _found(database, "muller") == ["1.0"]


def test_a_limit_out_of_bounds_is_refused(database: Database) -> None:
    for limit in (0, 501):
        with pytest.raises(errors.BadRequest):
            list_studies(database, Narrowing(), limit=limit)


def test_words_of_a_study_that_came_late_are_made_too(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    METADATA.create_all(database.engine)
    words = WordMaker(database)
    late, first = Rows(), Rows(_key=100)
    for rows, name in ((late, "Late^One"), (first, "First^One")):
        study = rows.study(f"2.{name}", patient_name=name)
        rows.instance(rows.one_series(study, f"2.{name}.1"), f"2.{name}.1.1")
    first.write(database)  # the younger keys are committed first
    words.step()
    late.write(database)
    words.step()
    assert _found(database, "one") == ["2.First^One", "2.Late^One"]
    database.close()


def test_words_go_with_their_study(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    METADATA.create_all(database.engine)
    rows = Rows()
    rows.instance(rows.one_series(rows.study("3.1", patient_name="Gone^One"), "3.1.1"), "3.1.1.1")
    rows.write(database)
    WordMaker(database).step()
    with database.write() as connection:
        for table in (schema.instance, schema.series, schema.study):
            connection.execute(sa.delete(table))
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.study_word)).scalar_one() == 0
    database.close()
