"""What the archive tells the ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom.archive.hide import hide, unhide
from fileroom.archive.peers import Peer, Peers, check_may
from fileroom.archive.receive import Source
from fileroom.archive.telling import Telling
from fileroom.audit.actor import Actor
from fileroom.audit.book import Book
from fileroom.audit.event import Event, Kind, Outcome, read
from fileroom.audit.outbox import sequence
from fileroom.audit.reading import rows
from tests.support.archives import Archive, ct, running_archive
from tests.support.corpus import small_studies

SCANNER = Actor("CT_1", "192.0.2.7", "dicom")
READER = Actor("reader", "192.0.2.9", "web")


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path / "home", database_url) as running:
        yield running


@pytest.fixture
def book(archive: Archive) -> Book:
    return Book(archive.database, idle_seconds=0.0)


@pytest.fixture
def telling(archive: Archive, book: Book) -> Telling:
    return Telling(book, archive.database)


def lines(archive: Archive, book: Book) -> list[Event]:
    """The ledger so far, with what is open and on its way."""
    book.journal.flush()
    sequence(archive.database)
    with archive.database.read() as connection:
        return [read(line) for _, line, _ in rows(connection)]


def test_what_is_acknowledged_is_told_before_it_is_and_counted_at_the_end(
    archive: Archive, book: Book, telling: Telling
) -> None:
    act = telling.storing(SCANNER)
    source = Source("dimse", "CT_1", "main", act)
    for number in (1, 2, 3):
        archive.store(ct(number), source)
        (begun,) = lines(archive, book)
    assert begun[:3] == (Kind.STORE, begun.at_ms, "CT_1")
    assert (begun.via, begun.where, begun.outcome) == ("192.0.2.7", "dicom", Outcome.BEGUN)
    assert (begun.study_uid, begun.patient_id) == ("1.2.9.1", "P1")
    act.end()
    _, done = lines(archive, book)
    assert (done.outcome, done.objects, done.act, done.patient_id) == (Outcome.DONE, 3, begun.act, "P1")


def test_what_was_here_already_is_told_too(archive: Archive, book: Book, telling: Telling) -> None:
    archive.store(ct(1))
    assert lines(archive, book) == []
    archive.store(ct(1), Source("dimse", "CT_1", "main", telling.storing(SCANNER)))
    (begun,) = lines(archive, book)
    assert (begun.outcome, begun.study_uid, begun.patient_id) == (Outcome.BEGUN, "1.2.9.1", "P1")


def test_many_studies_of_one_object_end_in_one_line(archive: Archive, book: Book, telling: Telling) -> None:
    act = telling.storing(SCANNER)
    for instance in small_studies(4):
        archive.store_file(instance.part10, Source("stow", "x", "main", act))
    act.end()
    found = lines(archive, book)
    assert [event.outcome for event in found] == [Outcome.BEGUN] * 4 + [Outcome.DONE]
    assert {event.act for event in found} == {found[0].act}
    assert (found[-1].objects, found[-1].study_uid) == (4, "")


def test_a_look_is_one_line_at_once_and_one_with_counts(archive: Archive, book: Book, telling: Telling) -> None:
    archive.store(ct(1))
    telling.looked(READER, Kind.VIEW, "1.2.9.1", "pages")
    (begun,) = lines(archive, book)
    assert (begun.kind, begun.who, begun.patient_id, begun.outcome) == (Kind.VIEW, "reader", "P1", Outcome.BEGUN)
    for _ in range(57):
        telling.looked(READER, Kind.RETRIEVE, "1.2.9.1", "frames")
    assert len(lines(archive, book)) == 1
    book.looks.sweep()
    _, done = lines(archive, book)
    assert (done.outcome, done.act, done.objects) == (Outcome.DONE, begun.act, 58)
    assert done.detail == "57 frames, 1 pages"
    telling.looked(READER, Kind.VIEW, "1.2.9.1", "pages")  # later: another look
    assert lines(archive, book)[2].act != begun.act


def test_the_same_question_again_is_counted_another_is_told(archive: Archive, book: Book, telling: Telling) -> None:
    for asked in ("study: PatientID P1", "study: PatientID P1", "study: PatientID P2"):
        telling.searched(READER, asked, lambda asked=asked: asked)  # type: ignore[misc]
    book.looks.end()
    found = lines(archive, book)
    assert [(event.kind, event.outcome, event.detail) for event in found] == [
        (Kind.SEARCH, Outcome.BEGUN, "study: PatientID P1"),
        (Kind.SEARCH, Outcome.BEGUN, "study: PatientID P2"),
        (Kind.SEARCH, Outcome.DONE, "study: PatientID P1; 2 answers"),
        (Kind.SEARCH, Outcome.DONE, "study: PatientID P2; 1 answers"),
    ]


def test_whoever_is_turned_away_again_and_again_is_two_lines(archive: Archive, book: Book, telling: Telling) -> None:
    for _ in range(5):
        telling.refused(Actor("STRANGER", "192.0.2.66", "dicom"), Kind.CONNECT, "calling AE title not recognized")
    book.looks.end()
    first, last = lines(archive, book)
    assert (first.outcome, first.who, first.why) == (Outcome.REFUSED, "STRANGER", "calling AE title not recognized")
    assert (last.outcome, last.objects) == (Outcome.REFUSED, 5)


def test_objects_that_go_out_are_told_before_and_after_by_study(archive: Archive, book: Book, telling: Telling) -> None:
    archive.store(ct(1))
    archive.store(ct(1, study=2, patient="P2"))
    transfer = telling.transfer(SCANNER, Kind.SEND, ["1.2.9.1", "1.2.9.2", "1.2.9.1"], "to ELSEWHERE")
    begun = lines(archive, book)
    assert [(event.outcome, event.patient_id) for event in begun] == [(Outcome.BEGUN, "P1"), (Outcome.BEGUN, "P2")]
    transfer.end({"1.2.9.1": 7}, "1 objects failed")
    ended = lines(archive, book)[2:]
    assert [(event.outcome, event.objects, event.why) for event in ended] == [
        (Outcome.FAILED, 7, "1 objects failed"),
        (Outcome.FAILED, None, "1 objects failed"),
    ]


def test_a_download_that_breaks_off_is_told_so(archive: Archive, book: Book, telling: Telling) -> None:
    archive.store(ct(1))
    whole = telling.transfer(READER, Kind.EXPORT, ["1.2.9.1"], "download")
    assert list(whole.sending(iter([b"a", b"b"]))) == [b"a", b"b"]
    broken = telling.transfer(READER, Kind.EXPORT, ["1.2.9.1"], "download").sending(iter([b"a", b"b"]))
    assert next(broken) == b"a"
    broken.close()  # type: ignore[attr-defined]
    outcomes = [(event.outcome, event.why) for event in lines(archive, book)]
    assert outcomes == [
        (Outcome.BEGUN, ""),
        (Outcome.DONE, ""),
        (Outcome.BEGUN, ""),
        (Outcome.FAILED, "it broke off"),
    ]


def test_what_is_changed_is_told_with_the_change(archive: Archive, book: Book) -> None:
    archive.store(ct(1))
    hide(archive.database, "1.2.9.1", "sent twice", "manager")
    hide(archive.database, "1.2.9.1", "sent twice", "manager")  # nothing changes
    unhide(archive.database, "1.2.9.1", "manager")
    Peers(archive.database).add(Peer("CT_1", "192.0.2.7", 104, "main", check_may(["store"])), "manager")
    Peers(archive.database).add(Peer("CT_1", "192.0.2.8", 104, "main", check_may(["store"])), "manager")
    Peers(archive.database).remove("CT_1", "manager")
    found = lines(archive, book)
    assert {event.who for event in found} == {"manager"}
    assert [(event.kind, event.patient_id, event.why or event.detail) for event in found] == [
        (Kind.HIDE, "P1", "sent twice"),
        (Kind.HIDE, "P1", "brought back"),
        (Kind.SETTING, "", "peer CT_1 is 192.0.2.7:104, site main, may store"),
        (
            Kind.SETTING,
            "",
            "peer CT_1 is 192.0.2.8:104, site main, may store; before: 192.0.2.7:104, site main, may store",
        ),
        (Kind.SETTING, "", "peer CT_1 was removed"),
    ]
