"""Search, on SQLite and on PostgreSQL: the same answers to the same questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom import errors
from fileroom.archive.search import Query, Search
from fileroom.archive.totals import count
from fileroom.database import METADATA, Database
from fileroom.dicom.attributes import BY_KEYWORD, Level
from tests.support.rows import Rows

PATIENT, STUDY, SERIES, IMAGE = Level


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'index.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_server").new_database()
    database = Database(url)
    METADATA.create_all(database.engine)
    _few().write(database)
    yield database
    database.close()


def _few() -> Rows:
    rows = Rows()
    smith = rows.patient(patient_name="Smith^John^^^", patient_id="P1", birth_date="19700102", sex="M", issuer="HOSP")
    first = rows.study(
        "1.1",
        patient=smith,
        study_date="20260101",
        study_time="1015",
        accession="A_1",
        modalities="CT\\SR",
        referring_name="Grey^Ann",
        reading_name="One^Doc\\Two^Doc",
        study_description="Chest 100%",
    )
    rows.study("1.2", patient=smith, study_date="20260215", study_time="235959.5", accession="AX1", modalities="MG")
    rows.study("1.3", patient_name="SMITHSON^Al", patient_id="p1", study_date="20251231", study_time="10")
    rows.study("1.4", patient_name="Yamada^Tarou=山田^太郎=やまだ^たろう", patient_id="P4", study_date="20260101")
    rows.study("1.5", patient_name="Ångström^Ü", patient_id="P5", study_date="20240229", modalities="CTX")
    rows.study("1.6", patient_name="Smith", patient_id="P 6")
    rows.study("1.7", patient_name="Smith^Secret", patient_id="P7", study_date="20260101", hidden=True, accession="A_7")
    rows.study("1.8", study_date="20230101")
    ct = rows.one_series(first, "1.1.1", modality="CT", series_number="3", body_part="CHEST", series_time="10:15:30")
    sr = rows.one_series(first, "1.1.2", modality="SR", series_number="007")
    for number in range(1, 4):
        rows.instance(ct, f"1.1.1.{number}", instance_number=str(number), image_type="ORIGINAL\\PRIMARY\\AXIAL")
    rows.instance(sr, "1.1.2.1", instance_number="x1", sop_class_uid="1.2.840.10008.5.1.4.1.1.88.11")
    secret = rows.one_series(rows.studies[6]["id"], "1.7.1", modality="CT")  # type: ignore[arg-type]
    rows.instance(secret, "1.7.1.1")
    return rows


def _found(database: Database, level: Level, **keys: str) -> list[str]:
    column = {PATIENT: "patient_id", STUDY: "study_uid", SERIES: "series_uid", IMAGE: "sop_uid"}[level]
    return [row[column] for row in Search(database).find(Query(level, keys))]


def test_without_keys_every_visible_study_comes_newest_first_and_undated_last(database: Database) -> None:
    assert _found(database, STUDY) == ["1.2", "1.4", "1.1", "1.3", "1.5", "1.8", "1.6"]


@pytest.mark.parametrize(
    ("key", "uids"),
    [
        ("smith^john", {"1.1", "1.2"}),
        ("SMITH^JOHN^^", {"1.1", "1.2"}),
        ("Smith^Jo", set()),
        ("smith*", {"1.1", "1.2", "1.3", "1.6"}),
        ("smith^*", {"1.1", "1.2", "1.6"}),
        ("smith^*^*", {"1.1", "1.2", "1.6"}),
        ("smith", {"1.6"}),
        ("sm?th^j*", {"1.1", "1.2"}),
        ("*john", {"1.1", "1.2"}),
        ("*SON^*", {"1.3"}),
        ("s?ith", {"1.6"}),
        ("yamada^tarou", {"1.4"}),
        ("YAMADA*", {"1.4"}),
        ("山田^太郎", {"1.4"}),
        ("山*", {"1.4"}),
        ("やまだ*", {"1.4"}),
        ("Yamada^Tarou=山田^太郎", {"1.4"}),
        ("=山田*", {"1.4"}),
        ("*=山田^太郎=*", {"1.4"}),
        ("Smith=山田*", set()),
        ("ångström*", {"1.5"}),
        ("ÅNGSTRÖM^Ü", {"1.5"}),
        ("A%", set()),
        ("_mith", set()),
        ("*~*", set()),
    ],
)
def test_a_person_name_matches_without_regard_to_case_in_any_group(
    database: Database, key: str, uids: set[str]
) -> None:
    assert set(_found(database, STUDY, PatientName=key)) == uids


@pytest.mark.parametrize(
    ("keys", "uids"),
    [
        ({"PatientID": "P1"}, {"1.1", "1.2"}),
        ({"PatientID": "p*"}, {"1.3"}),
        ({"PatientID": "P?6"}, {"1.6"}),
        ({"PatientID": " P4 "}, {"1.4"}),
        ({"AccessionNumber": "A_1"}, {"1.1"}),
        ({"AccessionNumber": "A_*"}, {"1.1"}),
        ({"AccessionNumber": "A?1"}, {"1.1", "1.2"}),
        ({"StudyDescription": "*100%"}, {"1.1"}),
        ({"StudyDescription": "Chest%"}, set()),
        ({"StudyDate": "20260101"}, {"1.1", "1.4"}),
        ({"StudyDate": "20260101-20260201"}, {"1.1", "1.4"}),
        ({"StudyDate": "-20240301"}, {"1.5", "1.8"}),
        ({"StudyDate": "20260102-"}, {"1.2"}),
        ({"StudyDate": "202601*"}, {"1.1", "1.4"}),
        ({"StudyTime": "10"}, {"1.1", "1.3"}),
        ({"StudyTime": "1000-1014"}, {"1.3"}),
        ({"StudyTime": "101500"}, {"1.1"}),
        ({"StudyTime": "2359-"}, {"1.2"}),
        ({"PatientBirthDate": "1970.01.02"}, {"1.1", "1.2"}),
        ({"ModalitiesInStudy": "CT"}, {"1.1"}),
        ({"ModalitiesInStudy": "SR\\MG"}, {"1.1", "1.2"}),
        ({"ModalitiesInStudy": "C*"}, {"1.1", "1.5"}),
        ({"StudyInstanceUID": "1.1\\1.3\\1.9"}, {"1.1", "1.3"}),
        ({"StudyInstanceUID": "1.*"}, set()),
        ({"ReferringPhysicianName": "grey*"}, {"1.1"}),
        ({"NameOfPhysiciansReadingStudy": "two^doc"}, {"1.1"}),
        ({"NameOfPhysiciansReadingStudy": "one*"}, {"1.1"}),
        ({"IssuerOfPatientID": "HOSP", "PatientSex": "M"}, {"1.1", "1.2"}),
        ({"PatientName": "smith*", "StudyDate": "20260101-"}, {"1.1", "1.2"}),
        ({"NumberOfStudyRelatedInstances": "77"}, {f"1.{n}" for n in (1, 2, 3, 4, 5, 6, 8)}),
    ],
)
def test_a_study_is_found_by(database: Database, keys: dict[str, str], uids: set[str]) -> None:
    assert set(_found(database, STUDY, **keys)) == uids


@pytest.mark.parametrize("universal", ["", "*", "**", "  "])
def test_an_empty_key_and_a_star_match_absent_values_too(database: Database, universal: str) -> None:
    assert len(_found(database, STUDY, PatientName=universal, StudyDate=universal, AccessionNumber=universal)) == 7


def test_series_and_instances_are_found_across_studies(database: Database) -> None:
    assert _found(database, SERIES) == ["1.1.1", "1.1.2"]
    assert _found(database, SERIES, Modality="SR", PatientID="P1") == ["1.1.2"]
    assert _found(database, SERIES, SeriesNumber="7") == ["1.1.2"]
    assert _found(database, SERIES, SeriesNumber="0003") == ["1.1.1"]
    assert _found(database, SERIES, SeriesTime="101530") == ["1.1.1"]
    assert _found(database, IMAGE, InstanceNumber="x1") == ["1.1.2.1"]
    assert _found(database, IMAGE, ImageType="PRIMARY") == ["1.1.1.1", "1.1.1.2", "1.1.1.3"]
    assert _found(database, IMAGE, StudyInstanceUID="1.1", SeriesInstanceUID="1.1.1", InstanceNumber="2") == ["1.1.1.2"]
    assert _found(database, IMAGE, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11") == ["1.1.2.1"]
    assert _found(database, IMAGE, SOPInstanceUID="1.1.1.2\\1.1.2.1") == ["1.1.1.2", "1.1.2.1"]


def test_what_is_hidden_is_in_no_answer(database: Database) -> None:
    assert _found(database, STUDY, StudyInstanceUID="1.7") == []
    assert _found(database, STUDY, AccessionNumber="A_7") == []
    assert _found(database, SERIES, SeriesInstanceUID="1.7.1") == []
    assert _found(database, IMAGE, SOPInstanceUID="1.7.1.1") == []
    assert "P7" not in _found(database, PATIENT)
    assert _found(database, PATIENT, PatientName="smith*") == ["P 6", "p1", "P1"]
    found = count(database)
    assert (found.studies, found.series, found.instances) == (7, 2, 4)


def test_a_row_holds_its_level_and_those_above(database: Database) -> None:
    (row,) = Search(database).find(Query(IMAGE, {"SOPInstanceUID": "1.1.1.2"}))
    text = {keyword: row.text(BY_KEYWORD[keyword]) for keyword in ("PatientName", "AccessionNumber", "Modality")}
    assert text == {"PatientName": "Smith^John^^^", "AccessionNumber": "A_1", "Modality": "CT"}
    assert row.text(BY_KEYWORD["NumberOfStudyRelatedInstances"]) == "4"
    assert row.text(BY_KEYWORD["NumberOfSeriesRelatedInstances"]) == "3"
    assert row.text(BY_KEYWORD["StudyID"]) == ""
    assert row["instance_count"] == 3
    assert row["transfer_syntax"] == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize("keys", [{}, {"PatientName": "*"}, {"PatientID": "P*"}, {"PatientName": "*m*"}])
@pytest.mark.parametrize("level", list(Level))
def test_pages_put_together_are_the_whole(database: Database, level: Level, keys: dict[str, str]) -> None:
    search = Search(database)
    whole = [row.values for row in search.find(Query(level, keys))]
    for size in (1, 2, 3):
        pages: list[object] = []
        for offset in range(0, len(whole) + 2 * size, size):
            pages += [row.values for row in search.find(Query(level, keys, limit=size, offset=offset))]
        assert pages == whole
    assert [row.values for row in search.find(Query(level, keys, offset=3))] == whole[3:]
    assert list(search.find(Query(level, keys, limit=0))) == []


@pytest.mark.parametrize(
    "keys",
    [
        {"StudyDate": "yesterday"},
        {"StudyDate": "20260230"},
        {"StudyTime": "25"},
        {"StudyDate": "20260201-20260101"},
        {"PatientName": "a\0b"},
        {"PatientName": "\ud800"},
        {"PatientName": "x" * 1025},
        {"StudyInstanceUID": "\\".join(str(n) for n in range(8_193))},
        {"ModalitiesInStudy": "\\".join(str(n) for n in range(101))},
    ],
)
def test_a_malformed_key_is_refused_before_anything_is_read(database: Database, keys: dict[str, str]) -> None:
    with pytest.raises(errors.BadRequest):
        Search(database).find(Query(STUDY, keys))


def test_the_longest_lists_are_answered(database: Database) -> None:
    uids = "\\".join(["1.1", *(f"9.{n}" for n in range(8_191))])
    texts = "\\".join(["P1", *(f"{n}*" for n in range(99))])
    keys = {"StudyInstanceUID": uids, "SeriesInstanceUID": uids + ".1", "SOPInstanceUID": uids}
    assert _found(database, IMAGE, **keys) == []
    assert _found(database, STUDY, StudyInstanceUID=uids, PatientID=texts, ModalitiesInStudy="CT") == ["1.1"]


def test_an_attack_on_the_sql_finds_nothing(database: Database) -> None:
    for text in ("' OR 1=1 --", '"; DROP TABLE study; --', "%", "_", "$1", ":v0", "%s", "%(v0)s"):
        assert _found(database, STUDY, PatientID=text) == []
    assert len(_found(database, STUDY)) == 7


def test_rows_stream_without_a_connection_held_and_writers_go_on(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    METADATA.create_all(database.engine)
    rows = Rows()
    for n in range(5000):
        date = {} if n % 3 == 0 else {"study_date": f"2026{n % 12 + 1:02d}{n % 28 + 1:02d}"}
        rows.study(f"1.{n}", patient_name=f"Name^{n}", **date)
    rows.write(database)
    for keys in ({}, {"PatientName": "n*"}):
        found = Search(database).find(Query(STUDY, keys))
        first = next(found)["study_uid"]
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        writer = threading.Thread(target=_more, args=(database, len(keys)))
        writer.start()
        writer.join(5)
        assert not writer.is_alive()
        uids = [first, *(row["study_uid"] for row in found)]
        assert len(uids) == len(set(uids))
        assert set(uids) >= {f"1.{n}" for n in range(5000)}


def _more(database: Database, number: int) -> None:
    rows = Rows(_key=10_000 + number * 10)
    rows.study(f"2.{number}", study_date="20300101", patient_name="New")
    rows.write(database)
