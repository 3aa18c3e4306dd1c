"""Which images of a study are marked, and by which presentation states they are shown, whoever made the documents."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydicom import dcmread

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.conflicts import Conflicts, Verdict
from fileroom.archive.hide import hide
from fileroom.archive.marks import DOOR, KeyImage, Marks, MarksReader
from fileroom.archive.receive import Outcome, Source
from fileroom.archive.retrieve import StoredInstance
from fileroom.dicom.companion import Reference
from fileroom.dicom.key_object import KEY_OBJECT_CLASS, REJECTED
from fileroom.dicom.render_options import Window
from fileroom.dicom.softcopy import GREY_CLASS
from fileroom.dicom.softcopy_writing import Setting
from fileroom.reading.keeping import Keeping
from tests.support import corpus
from tests.support.archives import SOURCE, Archive, running_archive
from tests.support.corpus.instance import Instance, uid
from tests.support.readers_marks import key_file, reference, state_file

OURS = Source(DOOR, "quick look", "main")
IMAGES = list(corpus.ct_study(1, slices=3))
STUDY = IMAGES[0].study_uid
OWN = dcmread(BytesIO(IMAGES[0].part10))


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path / "home", database_url) as opened:
        for image in IMAGES:
            put(opened, image.part10)
        yield opened


@pytest.fixture
def marks(archive: Archive) -> MarksReader:
    return MarksReader(archive.database, archive.retriever)


def put(archive: Archive, file: bytes, source: Source = SOURCE) -> None:
    assert archive.store_file(file, source).outcome is Outcome.STORED


def named(marks: MarksReader) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(one.instance_number, one.meanings) for one in marks.key_images(STUDY)]


def test_marks_of_anybody_are_found_and_only_ours_can_be_taken_back_alone(archive: Archive, marks: MarksReader) -> None:
    assert marks.marks(STUDY).keys == ()
    put(archive, key_file(IMAGES[2], about=[reference(IMAGES[0]), reference(IMAGES[2])]))
    put(archive, key_file(IMAGES[2], "113004", number=2), OURS)
    put(archive, key_file(IMAGES[2], about=[reference(IMAGES[1]), reference(IMAGES[2])], number=3), OURS)
    found = marks.marks(STUDY).keys
    assert [one.ours for one in found] == [False, False, True, False, False]
    assert named(marks) == [("1", ("Of Interest",)), ("2", ("Of Interest",)), ("3", ("Of Interest", "For Teaching"))]


def test_a_mark_that_is_rejected_is_gone_until_the_rejection_is(archive: Archive, marks: MarksReader) -> None:
    put(archive, key_file(IMAGES[0]), OURS)
    (mark,) = marks.marks(STUDY).keys
    about = Reference(KEY_OBJECT_CLASS, mark.document.sop_uid, mark.document.series_uid)
    put(archive, key_file(IMAGES[0], REJECTED, [about], number=2), OURS)
    assert marks.marks(STUDY).keys == ()
    rejection = Reference(KEY_OBJECT_CLASS, uid("marks", "KO", 2), mark.document.series_uid)
    put(archive, key_file(IMAGES[0], REJECTED, [rejection], number=3), OURS)
    assert len(marks.marks(STUDY).keys) == 1
    assert len(archive.retriever.instances(STUDY)) == len(IMAGES) + 3


def test_a_rejection_counts_whatever_came_first(archive: Archive, marks: MarksReader) -> None:
    about = Reference(KEY_OBJECT_CLASS, uid("marks", "KO", 1), uid("marks", "KO"))
    put(archive, key_file(IMAGES[0], REJECTED, [about], number=2))
    put(archive, key_file(IMAGES[0]))
    assert marks.marks(STUDY) == Marks()


def test_a_document_that_could_not_be_read_for_a_while_is_read_again(archive: Archive, marks: MarksReader) -> None:
    put(archive, key_file(IMAGES[0]))
    (document,) = [one for one in archive.retriever.instances(STUDY) if one.sop_class_uid == KEY_OBJECT_CLASS]
    pack = archive.packs.path(document.pack_id)
    archive.packs.forget([document.pack_id])
    pack.rename(pack.with_suffix(".away"))
    assert (marks.marks(STUDY).keys, marks.marks(STUDY).unread) == ((), 1)
    pack.with_suffix(".away").rename(pack)
    assert (len(marks.marks(STUDY).keys), marks.marks(STUDY).unread) == (1, 0)


def test_a_document_that_marks_too_many_is_counted_one_that_rejects_them_counts(
    archive: Archive, marks: MarksReader
) -> None:
    many = [
        Reference(KEY_OBJECT_CLASS, uid("marks", "KO", 1), "1.8"),
        *(Reference("1.2", f"1.9.{n}", "1.8") for n in range(2000)),
    ]
    put(archive, key_file(IMAGES[0]))
    put(archive, key_file(IMAGES[0], about=many, number=2))
    assert (len(marks.marks(STUDY).keys), marks.marks(STUDY).unread) == (1, 1)
    put(archive, key_file(IMAGES[0], REJECTED, many, number=3))
    assert (marks.marks(STUDY).keys, marks.marks(STUDY).unread) == ((), 1)


def test_who_marks_an_image_twice_at_once_marks_it_once(archive: Archive, marks: MarksReader) -> None:
    keeping = Keeping(archive.retriever, archive.receiver, marks)
    image = archive.retriever.instances(STUDY)[0]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(keeping.key, image, None, "113000", "viewer") for _ in range(4)]:
            done.result()
    assert len(marks.marks(STUDY).keys) == 1


def test_presentation_states_come_latest_first_and_go_when_rejected(archive: Archive, marks: MarksReader) -> None:
    put(archive, state_file(IMAGES[0], Setting(name="one")))
    put(archive, state_file(IMAGES[1], Setting(name="two", rotation=90), number=2), OURS)
    found = marks.marks(STUDY).states
    assert [(one.head.description, one.ours) for one in found] == [("two", True), ("one", False)]
    place = (found[0].document.series_uid, found[0].document.sop_uid)
    assert marks.shown(STUDY, *place, IMAGES[1].sop_uid, 1).rotation == 90
    about = Reference(GREY_CLASS, found[0].document.sop_uid, found[0].document.series_uid)
    put(archive, key_file(IMAGES[0], REJECTED, [about]), OURS)
    assert [one.head.description for one in marks.marks(STUDY).states] == ["one"]


def test_what_was_made_here_shares_a_series(archive: Archive, marks: MarksReader) -> None:
    put(archive, key_file(IMAGES[0]))
    assert marks.series_of(STUDY, KEY_OBJECT_CLASS) == (None, 0)
    put(archive, key_file(IMAGES[0], number=2), OURS)
    assert marks.series_of(STUDY, KEY_OBJECT_CLASS) == (uid("marks", "KO"), 1)
    assert marks.series_of(STUDY, GREY_CLASS) == (None, 0)


def test_images_that_are_not_here_or_not_of_this_study_are_not_listed(archive: Archive, marks: MarksReader) -> None:
    other = next(corpus.ct_study(2))
    put(archive, other.part10)
    put(archive, key_file(IMAGES[0], about=[reference(other), Reference("1.2", "1.9", "1.8"), reference(IMAGES[1], 1)]))
    found = marks.key_images(STUDY)
    assert found == [KeyImage(IMAGES[1].series_uid, IMAGES[1].sop_uid, 1, "1", "2", ("Of Interest",))]


def test_a_hidden_study_has_no_marks(archive: Archive, marks: MarksReader) -> None:
    put(archive, key_file(IMAGES[0]))
    assert marks.marks(STUDY).keys
    hide(archive.database, STUDY, "by mistake", "test")
    assert (marks.marks(STUDY).keys, marks.key_images(STUDY)) == ((), [])


def test_documents_that_cannot_be_read_are_counted(archive: Archive, marks: MarksReader) -> None:
    good = key_file(IMAGES[0])
    nested = b"\x40\x00\x30\xa7SQ\0\0" + (0xFFFFFFFF).to_bytes(4, "little")
    at = good.index(b"\x40\x00\x30\xa7SQ")
    put(
        archive,
        good[:at]
        + nested
        + b"\xfe\xff\x00\xe0\xff\xff\xff\xff\xfe\xff\x0d\xe0\0\0\0\0" * 2
        + b"\xfe\xff\xdd\xe0\0\0\0\0",
    )
    assert (len(marks.marks(STUDY).keys), marks.marks(STUDY).unread) == (0, 0)  # odd, but it can be read
    large = state_file(IMAGES[0], Setting(), number=7)
    put(
        archive,
        large
        + b"\x79\x00\x10\x00LO\x02\x00AB"
        + b"\x79\x00\x00\x10OB\0\0"
        + (5 << 20).to_bytes(4, "little")
        + bytes(5 << 20),
    )
    assert marks.marks(STUDY).unread == 1


def kept_apart(archive: Archive) -> list[str]:
    return [held.sop_uid for held in Conflicts(archive.database, archive.packs).listed()]


def stray(**said: str) -> bytes:
    """The file of an image of another study, but for what is said otherwise."""
    return changed(next(corpus.ct_study(2)), **said)


def changed(image: Instance, **said: str) -> bytes:
    dataset = dcmread(BytesIO(image.part10))
    for keyword, value in said.items():
        setattr(dataset, keyword, value)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def accept(archive: Archive, file: bytes, source: Source = SOURCE) -> StoredInstance:
    """File an object in the study although it is another patient's or site's, as a person decides on the page."""
    receipt = archive.store_file(file, source)
    assert receipt.outcome is Outcome.HELD
    conflicts = Conflicts(archive.database, archive.packs)
    (held,) = conflicts.listed()
    conflicts.decide(held.id, Verdict.ACCEPT, who="Ada")
    found = archive.retriever.instance(receipt.study_uid, receipt.series_uid, receipt.sop_uid)
    assert found is not None
    return found


def mark_each_way(archive: Archive, marks: MarksReader, image: StoredInstance) -> None:
    keeping = Keeping(archive.retriever, archive.receiver, marks)
    keeping.key(image, None, "113000", "viewer")
    keeping.state(image, None, Setting(window=Window(40, 400)), "viewer")
    (mark,), (state,) = marks.marks(STUDY).keys, marks.marks(STUDY).states
    assert (mark.image.sop_uid, [one.sop_uid for one in state.head.images]) == (image.sop_uid, [image.sop_uid])
    for document in (mark.document, state.document):
        said = dcmread(BytesIO(archive.retriever.file(document).read()))
        assert said.PatientID == OWN.PatientID
        assert said.PatientName == OWN.PatientName
    keeping.take_back(mark.document, "viewer")
    assert marks.marks(STUDY).keys == ()
    assert kept_apart(archive) == []


def test_an_object_that_a_person_accepted_is_marked_like_any_other(archive: Archive, marks: MarksReader) -> None:
    mark_each_way(archive, marks, accept(archive, stray(StudyInstanceUID=STUDY)))


def test_one_accepted_from_another_site_and_a_study_of_another_site_are_marked(
    archive: Archive, marks: MarksReader
) -> None:
    old = Source("import", "old", "north")
    same_patient = {"StudyInstanceUID": STUDY, "PatientID": OWN.PatientID, "PatientName": str(OWN.PatientName)}
    mark_each_way(archive, marks, accept(archive, stray(**same_patient), old))
    (image,) = corpus.ct_study(3, slices=1)
    put(archive, image.part10, old)
    Keeping(archive.retriever, archive.receiver, marks).key(
        archive.retriever.instances(image.study_uid)[0], None, "113000", "viewer"
    )
    assert len(marks.marks(image.study_uid).keys) == 1


def test_when_only_the_object_that_was_replaced_says_whose_the_study_is_marks_follow_it(
    tmp_path: Path, database_url: str
) -> None:
    with running_archive(tmp_path / "home", database_url) as archive:
        put(archive, IMAGES[0].part10)
        assert (
            archive.store_file(changed(IMAGES[0], PatientID="OTHER", PatientName="Other^One")).outcome
            is Outcome.CONFLICT
        )
        conflicts = Conflicts(archive.database, archive.packs)
        (held,) = conflicts.listed()
        conflicts.decide(held.id, Verdict.REPLACE, who="Ada", strange=True)
        reader = MarksReader(archive.database, archive.retriever)
        mark_each_way(archive, reader, archive.retriever.instances(STUDY)[0])


def test_when_nothing_says_whose_the_study_is_that_is_said_and_nothing_is_kept(
    archive: Archive, marks: MarksReader
) -> None:
    image = accept(archive, stray(StudyInstanceUID=STUDY))
    with archive.database.write() as connection:  # all others are gone
        connection.execute(sa.delete(schema.instance).where(schema.instance.c.sop_uid != image.sop_uid))
    keeping = Keeping(archive.retriever, archive.receiver, marks)
    with pytest.raises(errors.RefusedObject, match="no object of this study says whose it is"):
        keeping.key(image, None, "113000", "viewer")
    assert kept_apart(archive) == []
