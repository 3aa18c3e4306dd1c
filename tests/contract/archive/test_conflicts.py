"""What a person decides about a held object is what every answer gives from then on, and it can all be taken back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.documents import Documents
from fileroom.archive.held import held_of_study
from fileroom.archive.receive import Outcome, Source
from fileroom.archive.verdicts import Verdict
from fileroom.archive.word_maker import WordMaker
from fileroom.dicom.attributes import Level
from tests.support.archives import Archive, ct, encoded, running_archive
from tests.support.deciding import (
    SERIES,
    SOP,
    STUDY,
    conflicts_of,
    everything,
    one_held,
    other,
    says,
    served,
    settled,
)


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url) as running:
        yield running


def test_keeping_what_is_here_changes_no_answer_and_nothing_waits(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(other())
    before = everything(archive.database)
    held, conflicts = one_held(archive), conflicts_of(archive)
    conflicts.decide(held, Verdict.KEEP, who="Ada", why="the second was a test")
    assert (conflicts.listed(), conflicts.counts(), conflicts.counts(decided=True)) == ([], {}, {"conflict": 1})
    assert [one.verdict for one in conflicts.listed(decided=True)] == ["keep"]
    assert served(archive) == encoded(ct(1))
    (act,) = conflicts.get(held).acts
    assert (act.verdict, act.decided_by, act.why) == ("keep", "Ada", "the second was a test")
    conflicts.undo(held, who="Bob")
    assert everything(archive.database) == before
    assert [act.verdict for act in conflicts.get(held).acts] == ["keep", "undo"]


def test_using_the_one_that_came_changes_every_answer_and_undo_brings_back_what_was(
    archive: Archive, tmp_path: Path
) -> None:
    first = ct(1)
    first.StudyDescription, first.SeriesDescription, first.PatientSex = "wrong", "wrong series", "M"
    archive.store(first)
    archive.store(ct(2))
    came = other(
        StudyDescription="right", SeriesDescription="right series", PatientName="Right^Name", Modality="MR", Rows=2
    )
    archive.store(came, Source("dimse", "SECOND", "main"))
    documents = Documents(archive.database, archive.retriever, tmp_path / "cache", lambda base, stored: base)

    def document() -> bytes:
        made = documents.series(STUDY, SERIES, "http://x")
        assert made is not None
        return made.body if isinstance(made.body, bytes) else made.body.read()

    before, document_before = everything(archive.database), document()
    held, conflicts = one_held(archive), conflicts_of(archive)
    conflicts.decide(held, Verdict.REPLACE, who="Ada")
    assert served(archive) == encoded(came)
    assert says(archive, Level.STUDY, "StudyDescription") == ["right"]
    assert says(archive, Level.STUDY, "PatientName", PatientName="right*") == ["Right^Name"]
    assert says(archive, Level.STUDY, "PatientSex") == [""]
    assert says(archive, Level.STUDY, "ModalitiesInStudy") == ["MR"]
    assert says(archive, Level.SERIES, "SeriesDescription") == ["right series"]
    assert says(archive, Level.IMAGE, "Rows", SOPInstanceUID=SOP) == ["2"]
    assert b"right series" in document()
    assert document() != document_before
    stored = archive.retriever.instance(STUDY, SERIES, SOP)
    assert stored is not None
    assert stored.image is not None
    assert stored.image.pixels.rows == 2
    settled(archive)
    conflict = conflicts.get(held)
    assert (conflict.serves_came, conflict.choices) == (True, ())
    assert conflict.other is not None
    assert conflict.other.source == "import:test"
    conflicts.undo(held, who="Ada")
    assert everything(archive.database) == before
    assert document() == document_before
    assert served(archive) == encoded(first)
    settled(archive)


def test_a_value_only_the_replaced_object_had_is_taken_from_the_next_one_that_has_it(archive: Archive) -> None:
    first, second, late = ct(1), ct(2), ct(3)
    first.StudyDescription, second.StudyDescription, late.AccessionNumber = "of the first", "of the second", "LATE"
    first.AccessionNumber = "FIRST"
    for dataset in (first, second, other()):
        archive.store(dataset)
    conflicts_of(archive).decide(one_held(archive), Verdict.REPLACE, who="Ada")
    assert says(archive, Level.STUDY, "StudyDescription") == ["of the second"]
    assert says(archive, Level.STUDY, "AccessionNumber") == [""]
    archive.store(late)  # the running archive has not gone on believing that there is one
    assert says(archive, Level.STUDY, "AccessionNumber") == ["LATE"]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_both_versions_sent_again_are_nothing_new_once_it_is_decided(archive: Archive, verdict: Verdict) -> None:
    held_by_patient = verdict in (Verdict.ACCEPT, Verdict.KEEP_OUT)
    first, came = ct(1), ct(2, patient="P2") if held_by_patient else other()
    archive.store(first)
    assert archive.store(came).outcome in (Outcome.CONFLICT, Outcome.HELD)
    conflicts, held = conflicts_of(archive), one_held(archive)
    conflicts.decide(held, verdict, who="Ada")
    decided = everything(archive.database)
    assert [archive.store(one).outcome for one in (first, came, first)] == [Outcome.DUPLICATE] * 3
    assert everything(archive.database) == decided
    conflicts.undo(held, who="Ada")
    assert archive.store(came).outcome in (Outcome.CONFLICT, Outcome.HELD)
    assert archive.store(first).outcome is Outcome.DUPLICATE
    assert len(conflicts.listed(decided=True)) == 1
    settled(archive)


def test_a_third_version_is_a_conflict_of_its_own_and_decisions_are_undone_in_turn(archive: Archive) -> None:
    first, second, third = ct(1), other(StudyDescription="second"), other(StudyDescription="third")
    for dataset in (first, second, third):
        archive.store(dataset)
    before = everything(archive.database)
    conflicts = conflicts_of(archive)
    of_third, of_second = (held.id for held in conflicts.listed())
    conflicts.decide(of_second, Verdict.REPLACE, who="Ada")
    conflicts.decide(of_third, Verdict.REPLACE, who="Ada")
    assert served(archive) == encoded(third)
    settled(archive)
    with pytest.raises(errors.Superseded, match="later decision"):
        conflicts.undo(of_second, who="Ada")
    conflicts.undo(of_third, who="Ada")
    assert served(archive) == encoded(second)
    conflicts.undo(of_second, who="Ada")
    assert everything(archive.database) == before


def test_an_object_of_another_patient_can_be_filed_in_the_study_and_taken_out_again(archive: Archive) -> None:
    archive.store(ct(1))
    stray = ct(7, series=5, patient="P2")
    stray.PatientSex, stray.StudyDescription, stray.Modality = "F", "of the stray", "MR"
    assert archive.store(stray).outcome is Outcome.HELD
    before = everything(archive.database)
    conflicts, held = conflicts_of(archive), one_held(archive)
    assert conflicts.get(held).choices == (Verdict.KEEP_OUT, Verdict.ACCEPT)
    conflicts.decide(held, Verdict.ACCEPT, who="Ada")
    assert served(archive, "1.2.9.1.5.7") == encoded(stray)
    assert says(archive, Level.IMAGE, "PatientID") == ["P1", "P1"]  # the study stays its patient's ...
    assert says(archive, Level.STUDY, "PatientSex") == [""]  # ... of whom the stray tells nothing
    assert says(archive, Level.STUDY, "StudyDescription") == ["of the stray"]
    assert says(archive, Level.STUDY, "ModalitiesInStudy") == ["CT\\MR"]
    assert says(archive, Level.STUDY, "NumberOfStudyRelatedInstances") == ["2"]
    settled(archive)
    archive.store(ct(8, series=5))  # the running archive knows the new series
    conflicts.undo(held, who="Ada")
    assert says(archive, Level.IMAGE, "SOPInstanceUID") == [SOP, "1.2.9.1.5.8"]
    assert says(archive, Level.STUDY, "StudyDescription") == [""]
    settled(archive)
    with archive.database.write() as connection:  # what came since aside, all is as it was
        connection.execute(sa.delete(schema.instance).where(schema.instance.c.sop_uid == "1.2.9.1.5.8"))
    assert everything(archive.database)["instance"] == before["instance"]


def test_a_series_that_a_decision_made_goes_with_it_and_can_come_again(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(ct(7, series=5, patient="P2"))
    before, conflicts, held = everything(archive.database), conflicts_of(archive), one_held(archive)
    conflicts.decide(held, Verdict.ACCEPT, who="Ada")
    archive.store(ct(8, series=5))
    archive.store(ct(9, series=6, patient="P1"))
    conflicts.undo(held, who="Ada")
    conflicts.decide(held, Verdict.ACCEPT, who="Ada")
    conflicts.undo(held, who="Ada")
    settled(archive)
    with archive.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.patient)).scalar_one() == 1
    assert before["patient"] == everything(archive.database)["patient"]


def test_the_series_of_an_object_taken_out_is_made_anew_by_the_next_one(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(ct(7, series=5, patient="P2"))
    conflicts, held = conflicts_of(archive), one_held(archive)
    conflicts.decide(held, Verdict.ACCEPT, who="Ada")
    assert archive.store(ct(8, series=6)).outcome is Outcome.STORED
    conflicts.undo(held, who="Ada")
    assert archive.store(ct(9, series=5)).outcome is Outcome.STORED
    settled(archive)


def test_one_that_names_another_patient_replaces_only_when_that_is_confirmed(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(other(PatientID="P9"))
    conflicts, held = conflicts_of(archive), one_held(archive)
    assert conflicts.get(held).strange
    with pytest.raises(errors.BadRequest, match="another patient"):
        conflicts.decide(held, Verdict.REPLACE, who="Ada")
    assert served(archive) == encoded(ct(1))
    conflicts.decide(held, Verdict.REPLACE, who="Ada", strange=True)
    assert served(archive) == encoded(other(PatientID="P9"))
    assert says(archive, Level.STUDY, "PatientID") == ["P1"]
    settled(archive)


def test_one_of_another_series_cannot_take_the_place(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(other(SeriesInstanceUID="1.2.9.1.77"))
    conflicts, held = conflicts_of(archive), one_held(archive)
    assert conflicts.get(held).choices == (Verdict.KEEP,)
    with pytest.raises(errors.BadRequest, match="another series"):
        conflicts.decide(held, Verdict.REPLACE, who="Ada")
    conflicts.decide(held, Verdict.KEEP, who="Ada")


def test_what_cannot_be_decided_is_said(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(other())
    conflicts, held = conflicts_of(archive), one_held(archive)
    with pytest.raises(errors.BadRequest, match="accept"):
        conflicts.decide(held, Verdict.ACCEPT, who="Ada")
    with pytest.raises(errors.BadRequest, match="named"):
        conflicts.decide(held, Verdict.KEEP, who=" \u202e\n")
    with pytest.raises(errors.BadRequest, match="at most"):
        conflicts.decide(held, Verdict.KEEP, who="Ada", why="x" * 501)
    with pytest.raises(errors.NotFound):
        conflicts.decide(17, Verdict.REPLACE, who="Ada")
    with pytest.raises(errors.NotFound):
        conflicts.undo(17, who="Ada")
    with pytest.raises(errors.Superseded, match="waits"):
        conflicts.undo(held, who="Ada")


def test_the_same_bytes_meant_another_way_are_told_apart(archive: Archive) -> None:
    raw = encoded(ct(1))
    archive.store_bytes(raw, SOP)
    source = Source("import", "test", "main")
    with archive.receiver.dataset(source, "1.2.840.10008.1.2.1.98", ct(1).SOPClassUID, SOP, "X") as intake:
        intake.write(raw)
        assert intake.submit().wait().outcome is Outcome.CONFLICT
    conflicts, held = conflicts_of(archive), one_held(archive)
    before = everything(archive.database)
    conflicts.decide(held, Verdict.REPLACE, who="Ada")
    (found,) = archive.retriever.by_sop_uids([SOP])
    assert found.transfer_syntax == "1.2.840.10008.1.2.1.98"
    assert archive.store_bytes(raw, SOP).outcome is Outcome.DUPLICATE
    settled(archive)
    conflicts.undo(held, who="Ada")
    assert everything(archive.database) == before


def test_damaged_bytes_are_never_put_in_the_place_of_whole_ones(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(other())
    conflicts = conflicts_of(archive)
    (held,) = conflicts.listed()
    path = archive.packs.path(held.pack_id)
    with path.open("r+b") as file:
        file.seek(held.offset + held.size_bytes - 8)
        file.write(b"\xff" * 4)
    with pytest.raises(errors.DamagedPack):
        conflicts.decide(held.id, Verdict.REPLACE, who="Ada")
    assert served(archive) == encoded(ct(1))
    assert conflicts.get(held.id).acts == ()


def test_of_two_people_at_once_one_decides_and_the_other_is_told(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(other())
    held = one_held(archive)
    together, told = threading.Barrier(4), []

    def decide(verdict: Verdict) -> None:
        conflicts = Conflicts(archive.database, archive.packs)
        seen = conflicts.get(held).seen
        together.wait()
        try:
            conflicts.decide(held, verdict, who=f"{verdict}", seen=seen)
            told.append("done")
        except errors.Superseded as error:
            told.append(str(error))

    threads = [threading.Thread(target=decide, args=(v,)) for v in (Verdict.KEEP, Verdict.REPLACE) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told)[0] == "done"
    assert all(text.startswith("somebody else was faster: ") for text in sorted(told)[1:])
    assert len(conflicts_of(archive).get(held).acts) == 1
    settled(archive)


def test_a_page_that_is_out_of_date_undoes_nothing(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(other())
    conflicts, held = conflicts_of(archive), one_held(archive)
    conflicts.decide(held, Verdict.REPLACE, who="Ada")
    seen = conflicts.get(held).seen
    conflicts.undo(held, who="Bob")
    conflicts.decide(held, Verdict.KEEP, who="Bob")
    with pytest.raises(errors.Superseded, match="keep, by Bob"):
        conflicts.undo(held, who="Ada", seen=seen)
    assert conflicts.get(held).held.verdict == "keep"


def test_the_study_list_finds_by_what_is_decided(archive: Archive) -> None:
    first = ct(1)
    first.PatientName, first.StudyDescription = "Wrong^Name", "mistaken"
    archive.store(first)
    archive.store(ct(1, study=4))  # another study of the patient
    archive.store(other(PatientName="Right^Name", StudyDescription="intended"))
    archive.store(ct(7, series=5, patient="P2"))
    WordMaker(archive.database).step()
    before = everything(archive.database)

    def found(word: str) -> list[str]:
        with archive.database.read() as connection:
            words = schema.study_word.c
            query = sa.select(schema.study.c.study_uid).join(schema.study_word, words.study_pk == schema.study.c.id)
            return sorted(connection.execute(query.where(words.word == word)).scalars())

    assert (found("wrong"), found("mistaken")) == (["1.2.9.1", "1.2.9.4"], ["1.2.9.1"])
    conflicts = conflicts_of(archive)
    of_patient, of_object = (held.id for held in conflicts.listed())
    conflicts.decide(of_object, Verdict.REPLACE, who="Ada")
    assert (found("right"), found("wrong")) == (["1.2.9.1", "1.2.9.4"], [])
    assert (found("intended"), found("mistaken")) == (["1.2.9.1"], [])
    conflicts.decide(of_patient, Verdict.ACCEPT, who="Ada")
    for held in (of_patient, of_object):
        conflicts.undo(held, who="Ada")
    assert everything(archive.database) == before


def test_a_study_knows_what_waits_about_it(archive: Archive) -> None:
    archive.store(ct(1))
    archive.store(ct(1, study=2))
    assert held_of_study(archive.database, STUDY) == 0
    archive.store(other())
    of_object = one_held(archive)
    archive.store(other(StudyInstanceUID="1.2.9.3", PixelData=b"\1" * 32))  # names another study, and its UID is here
    archive.store(ct(2, patient="P2", study=2))
    conflicts = conflicts_of(archive)
    assert [held_of_study(archive.database, uid) for uid in (STUDY, "1.2.9.2", "1.2.9.3", "1.2.9.4")] == [2, 1, 1, 0]
    assert len(conflicts.listed(study_uid=STUDY)) == 2
    conflicts.decide(of_object, Verdict.KEEP, who="Ada")
    assert held_of_study(archive.database, STUDY) == 1
    assert len(conflicts.listed(study_uid=STUDY, decided=True)) == 2
