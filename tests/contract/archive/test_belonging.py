"""An object without an issuer is of the study's patient when nothing contradicts; anything else waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydicom.dataset import Dataset

from fileroom.archive import schema
from fileroom.archive.arrival import Arrival
from fileroom.archive.conflicts import Conflicts, Verdict
from fileroom.archive.heal import heal
from fileroom.archive.packs import Packs
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.receive import Outcome, Source
from fileroom.database import METADATA
from tests.support.archives import Archive, ct, running_archive

PER_RUN = {"id", "patient_pk", "study_pk", "series_pk", "updated_ms", "revision", "created_ms", "closed"}


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url) as running:
        yield running


def of_patient(number: int = 1, *, series: int = 1, **said: str) -> Dataset:
    """An object of one patient, but for what is said otherwise; "" leaves an attribute out."""
    dataset = ct(number, series=series)
    values = {"PatientName": "Müller^Änne", "PatientBirthDate": "19500102", "IssuerOfPatientID": "NORTH"} | said
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
        if value == "":
            delattr(dataset, keyword)
    return dataset


def result(number: int = 1, **said: str) -> Dataset:
    """What a CAD says of the same patient, without an issuer."""
    dataset = of_patient(number, series=7, **{"IssuerOfPatientID": ""} | said)
    dataset.Modality = "SR"
    return dataset


def answers(archive: Archive) -> dict[str, list[str]]:
    found = {}
    with archive.database.read() as connection:
        for name in (*schema.SHADOWS, "held"):
            rows = connection.execute(sa.select(METADATA.tables[name])).mappings()
            found[name] = sorted(str({k: v for k, v in row.items() if k not in PER_RUN}) for row in rows)
    return found


def patients(archive: Archive) -> int:
    with archive.database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.patient)).scalar_one()


def kinds(archive: Archive) -> list[str]:
    with archive.database.read() as connection:
        return list(connection.execute(sa.select(schema.held.c.kind)).scalars())


AGREEING = (
    {},
    {"PatientName": "MÜLLER^änne^^"},
    {"PatientName": ""},
    {"PatientName": "^"},
    {"PatientBirthDate": ""},
    {"PatientName": "", "PatientBirthDate": ""},
    {"PatientSex": "F", "AccessionNumber": "A1"},
    {"PatientID": " P1 "},
)
STRANGE = (
    {"PatientBirthDate": "19500103"},
    {"PatientName": "Müller^Anne"},
    {"PatientName": "Müller^Änne", "PatientBirthDate": "19510102"},
    {"PatientID": ""},
    {"PatientID": "", "PatientName": "", "PatientBirthDate": ""},
    {"PatientID": "P2"},
    {"PatientID": "p1"},
    {"PatientID": "0P1"},
    {"IssuerOfPatientID": "SOUTH"},
    {"IssuerOfPatientID": "north"},
    {"IssuerOfPatientID": "main"},
)


@pytest.mark.parametrize("said", AGREEING, ids=str)
def test_an_object_that_leaves_the_issuer_out_is_of_the_patient_of_its_study(
    archive: Archive, said: dict[str, str]
) -> None:
    archive.store(of_patient())
    with archive.database.read() as connection:
        before = connection.execute(sa.select(schema.patient)).all()
    assert archive.store(result(**said)).outcome is Outcome.STORED
    assert archive.store(result(**said)).outcome is Outcome.DUPLICATE
    assert len(archive.retriever.instances("1.2.9.1")) == 2
    assert kinds(archive) == []
    with archive.database.read() as connection:
        assert connection.execute(sa.select(schema.patient)).all() == before  # it tells nothing about the patient
    same(archive)


@pytest.mark.parametrize("said", STRANGE, ids=str)
def test_what_contradicts_or_names_another_or_nobody_is_held(archive: Archive, said: dict[str, str]) -> None:
    archive.store(of_patient())
    assert archive.store(result(**said)).outcome is Outcome.HELD
    assert kinds(archive) == ["patient"]
    assert len(archive.retriever.instances("1.2.9.1")) == 1
    same(archive)


def test_one_of_another_site_is_held(archive: Archive) -> None:
    archive.store(of_patient())
    assert archive.store(result(), Source("dimse", "CAD", "south")).outcome is Outcome.HELD
    assert kinds(archive) == ["site"]
    same(archive)


def test_one_with_an_issuer_is_held_when_the_study_is_here_without(archive: Archive) -> None:
    archive.store(result())
    assert archive.store(of_patient()).outcome is Outcome.HELD
    assert archive.store(of_patient(2, IssuerOfPatientID="SOUTH", PatientName="")).outcome is Outcome.HELD
    same(archive)


def test_two_numbers_of_one_issuer_never_meet_through_the_letters_between(archive: Archive) -> None:
    archive.store(of_patient(IssuerOfPatientID="NORTH\x1fP1", PatientID="P9"))
    assert archive.store(result()).outcome is Outcome.HELD


def test_what_arrives_in_the_same_moment_is_judged_as_one_after_the_other(archive: Archive) -> None:
    """Objects of one batch: the patient they are compared with stands in no table yet."""
    sent = [
        of_patient(1, PatientName="", PatientBirthDate=""),
        result(1, PatientName="Other^One"),  # nobody has a name yet: it is of this patient, and tells nothing
        of_patient(2),  # now the patient has one
        result(2, PatientName="Other^One"),
        result(3),
        result(4, PatientBirthDate="20000101"),
    ]
    assert [archive.store(one).outcome for one in sent] == [
        *(Outcome.STORED, Outcome.STORED, Outcome.STORED),
        *(Outcome.HELD, Outcome.STORED, Outcome.HELD),
    ]
    before = answers(archive)
    with (
        archive.database.write() as connection
    ):  # held objects too are judged again: from the packs alone, in one batch
        connection.execute(sa.delete(schema.held))
    archive.receiver.stop()
    rebuild_index(archive.database, Packs(archive.home / "packs"))
    assert answers(archive) == before


@pytest.mark.parametrize("verdict", [None, Verdict.KEEP_OUT])
def test_what_is_held_since_before_the_rule_stays_held_however_often_it_is_sent(
    archive: Archive, verdict: Verdict | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store(of_patient())
    with monkeypatch.context() as before:
        before.setattr(Arrival, "leaves_issuer_open", lambda *_: False)  # a version that did not know the rule
        assert archive.store(result()).outcome is Outcome.HELD
    conflicts = Conflicts(archive.database, archive.packs)
    (held,) = conflicts.listed()
    if verdict:
        conflicts.decide(held.id, verdict, who="Ada")
    archive.store(result())
    assert len(archive.retriever.instances("1.2.9.1")) == 1
    before_rebuild = answers(archive)
    archive.receiver.stop()
    rebuild_index(archive.database, Packs(archive.home / "packs"))
    assert answers(archive) == before_rebuild
    if verdict is None:
        conflicts.decide(held.id, Verdict.ACCEPT, who="Ada")
        assert len(archive.retriever.instances("1.2.9.1")) == 2


def test_a_version_without_an_issuer_takes_the_place_without_being_called_another_patients(archive: Archive) -> None:
    archive.store(of_patient())
    assert archive.store(of_patient(IssuerOfPatientID="")).outcome is Outcome.CONFLICT
    assert archive.store(of_patient(IssuerOfPatientID="", PatientBirthDate="19990101")).outcome is Outcome.CONFLICT
    conflicts = Conflicts(archive.database, archive.packs)
    stranger, kin = conflicts.listed()
    assert [conflicts.get(one.id).strange for one in (stranger, kin)] == [True, False]


def test_one_that_belongs_since_a_decision_belongs_after_a_rebuild(archive: Archive) -> None:
    archive.store(of_patient())
    assert archive.store(of_patient(PatientName="Berg^Eva")).outcome is Outcome.CONFLICT
    conflicts = Conflicts(archive.database, archive.packs)
    (held,) = conflicts.listed()
    conflicts.decide(held.id, Verdict.REPLACE, who="Ada")
    assert archive.store(result(PatientName="Berg^Eva")).outcome is Outcome.STORED
    assert archive.store(result(SOPInstanceUID="1.2.9.1.7.2")).outcome is Outcome.HELD  # the former name
    before = answers(archive)
    archive.receiver.stop()
    rebuild_index(archive.database, Packs(archive.home / "packs"))
    assert answers(archive) == before


def test_after_a_crash_the_next_start_files_it_alike(tmp_path: Path, database_url: str) -> None:
    with running_archive(tmp_path, database_url) as archive:
        archive.store(of_patient())
        archive.store(result())
        archive.store(result(2, PatientName="Other^One"))
        before = answers(archive)
        archive.receiver.stop()
        with archive.database.write() as connection:  # in the packs, but not yet in the index
            for name in (*schema.SHADOWS, "held"):
                connection.execute(sa.delete(METADATA.tables[name]))
        assert heal(archive.database, archive.packs).objects_indexed == 3
        assert {k: v for k, v in answers(archive).items() if k != "pack"} == {
            k: v for k, v in before.items() if k != "pack"
        }


def same(archive: Archive) -> None:
    """A rebuild gives the same answers, with the records of what is held and without."""
    before = answers(archive)
    archive.receiver.stop()
    for forget in (False, True):
        if forget:
            with archive.database.write() as connection:
                connection.execute(sa.delete(schema.held))
        report = rebuild_index(archive.database, Packs(archive.home / "packs"))
        assert report.findings == ()
        assert answers(archive) == before
