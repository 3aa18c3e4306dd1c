"""A database administrator edits, deletes, swaps, cuts off or re-chains lines, and is found out."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fileroom import errors, migrations
from fileroom.audit.anchors import Leaves, read_anchors
from fileroom.audit.checkpoints import Checkpoints
from fileroom.audit.event import written
from fileroom.audit.ledger import Ledger
from fileroom.audit.note import Signer
from fileroom.audit.reading import rows
from fileroom.audit.verify import Report, What, verify
from fileroom.database import Database
from tests.support.tampering import Row, all_rows, drop_fence, rechained, rewrite, view

FORGED = written(view(1)._replace(who="nobody")).data


@dataclass
class Book:
    """A ledger of 60 lines, with checkpoints at 20 and 40 kept elsewhere."""

    database: Database
    home: Path
    elsewhere: Path

    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.database, self.home, self.elsewhere)

    def verify(self, *, leaves: bool = True, anchors: bool = True) -> Report:
        known = read_anchors(self.elsewhere, self.checkpoints().verifier()) if anchors else []
        kept = Leaves(self.elsewhere) if leaves else None
        with self.database.read() as connection:
            return verify(lambda: rows(connection), known, kept)

    def told(self, *, leaves: bool = True, anchors: bool = True) -> list[tuple[What, int, int]]:
        return [(f.what, f.first, f.last) for f in self.verify(leaves=leaves, anchors=anchors).findings]


@pytest.fixture
def book(database_url: str, tmp_path: Path) -> Iterator[Book]:
    database = Database(database_url)
    migrations.upgrade(database)
    made = Book(database, tmp_path / "home", tmp_path / "elsewhere")
    made.home.mkdir()
    made.elsewhere.mkdir()
    for start in (0, 20, 40):
        Ledger(database).record([view(number) for number in range(start, start + 20)])
        if start < 40:
            made.checkpoints().make()
    yield made
    database.close()


def changed(rows: list[Row], position: int, line: bytes = FORGED) -> list[Row]:
    return [(at, line if at == position else old, node) for at, old, node in rows]


def test_an_untouched_ledger_is_good_and_says_what_is_not_proven_yet(book: Book) -> None:
    report = book.verify()
    assert (report.good, report.size, report.anchored) == (True, 60, 40)
    assert [agrees for _, agrees in report.anchors] == [True, True]


@pytest.mark.parametrize("position", [0, 1, 6, 7, 31, 39, 40, 59])
def test_a_changed_line_is_named_with_and_without_a_checkpoint(book: Book, position: int) -> None:
    rewrite(book.database, changed(all_rows(book.database), position))
    assert book.told(anchors=False, leaves=False) == [(What.CHANGED, position, position)]
    assert book.told(leaves=False) == [(What.CHANGED, position, position)]
    assert book.told() == [(What.CHANGED, position, position)]


def test_several_changed_lines_are_each_named(book: Book) -> None:
    rewrite(book.database, changed(changed(changed(all_rows(book.database), 3), 12), 13))
    expected = [(What.CHANGED, 3, 3), (What.CHANGED, 12, 13)]
    assert book.told(anchors=False, leaves=False) == expected
    assert book.told() == expected


@pytest.mark.parametrize(("first", "last"), [(0, 0), (5, 5), (17, 22), (58, 58)])
def test_removed_lines_are_named(book: Book, first: int, last: int) -> None:
    rewrite(book.database, [row for row in all_rows(book.database) if not first <= row[0] <= last])
    assert book.told(anchors=False, leaves=False) == [(What.MISSING, first, last)]
    assert book.told() == [(What.MISSING, first, last)]


def test_a_removed_line_and_a_changed_one_behind_it_are_both_named(book: Book) -> None:
    rewrite(book.database, [row for row in changed(all_rows(book.database), 30) if row[0] != 9])
    assert book.told(anchors=False, leaves=False) == [(What.MISSING, 9, 9), (What.CHANGED, 30, 30)]
    assert book.told() == [(What.MISSING, 9, 9), (What.CHANGED, 30, 30)]


@pytest.mark.parametrize("kept", [0, 1, 19, 20, 39])
def test_a_cut_off_end_is_named(book: Book, kept: int) -> None:
    rewrite(book.database, all_rows(book.database)[:kept], without_checkpoints=True)
    assert book.told(anchors=False, leaves=False) == []  # nothing in the database tells
    assert book.told(leaves=False) == [(What.CUT_OFF, kept, 39)]
    assert book.told() == [(What.CUT_OFF, kept, 39)]


def test_lines_cut_off_behind_the_last_checkpoint_are_not_noticed_but_said_to_be_unproven(book: Book) -> None:
    rewrite(book.database, all_rows(book.database)[:45])
    report = book.verify()
    assert (report.good, report.size, report.anchored) == (True, 45, 40)


def test_a_re_chained_change_is_found_between_checkpoints_and_named_by_the_kept_hashes(book: Book) -> None:
    lines = [line for _, line, _ in all_rows(book.database)]
    rewrite(book.database, rechained([*lines[:27], FORGED, *lines[28:]]), without_checkpoints=True)
    assert book.told(anchors=False, leaves=False) == []  # it agrees with itself
    assert book.told(leaves=False) == [(What.CHANGED, 20, 39)]  # the checkpoint at 20 agrees, that at 40 does not
    assert book.told() == [(What.CHANGED, 27, 27)]


def test_re_chained_lines_that_were_swapped_are_named_with_what_they_were(book: Book) -> None:
    lines = [line for _, line, _ in all_rows(book.database)]
    lines[4], lines[11] = lines[11], lines[4]
    rewrite(book.database, rechained(lines))
    assert book.told(leaves=False)[0] == (What.CHANGED, 0, 19)
    found = book.verify().findings
    assert [(f.first, f.last, f.text) for f in found] == [
        (4, 4, "here stands what was line 11"),
        (11, 11, "here stands what was line 4"),
    ]


def test_a_line_removed_with_the_rest_moved_up_and_re_chained_is_named(book: Book) -> None:
    lines = [line for _, line, _ in all_rows(book.database)]
    rewrite(book.database, rechained([*lines[:33], *lines[34:]]))
    [found] = book.verify().findings
    assert (found.what, found.first, found.text) == (What.CHANGED, 33, "here stands what was line 34")


def test_lines_that_were_swapped_without_re_chaining_are_named(book: Book) -> None:
    rows = all_rows(book.database)
    rows[10], rows[21] = (10, *rows[21][1:]), (21, *rows[10][1:])
    rewrite(book.database, rows)
    assert {10, 21} <= {first for _, first, _ in book.told(anchors=False, leaves=False)}
    assert book.told() == [(What.CHANGED, 10, 10), (What.CHANGED, 21, 21)]


def test_a_node_that_was_changed_beside_a_right_line_is_said_to_be_that(book: Book) -> None:
    rewrite(book.database, [(at, line, bytes(32) if at == 5 else node) for at, line, node in all_rows(book.database)])
    assert book.told(anchors=False, leaves=False) == [(What.CHANGED, 5, 5)]
    assert book.told() == [(What.NODE, 5, 5)]


def test_a_whole_new_history_fails_every_checkpoint(book: Book) -> None:
    rewrite(book.database, rechained([written(view(number + 1000)).data for number in range(60)]))
    assert book.told() == [(What.CHANGED, 0, 39)]


def test_a_checkpoint_that_another_key_signed_proves_nothing(book: Book) -> None:
    lines = [line for _, line, _ in all_rows(book.database)]
    rewrite(book.database, rechained([FORGED, *lines[1:]]))
    note = book.elsewhere / f"{40:020d}.note"
    with book.database.read() as connection:
        fresh = verify(lambda: rows(connection)).root
    verifier = book.checkpoints().verifier()
    assert verifier is not None
    forger = Signer.new(verifier.name)
    note.write_text(forger.sign(f"{verifier.name}\n60\n{base64.b64encode(fresh).decode()}\n"))
    told = book.told()
    assert (What.CHECKPOINT, 0, 0) in told
    assert (What.CHANGED, 0, 0) in told
    assert book.verify().anchored == 0


def test_nothing_is_signed_on_top_of_a_changed_history(book: Book) -> None:
    before = sorted(book.elsewhere.iterdir())
    rows = all_rows(book.database)
    lines = [line for _, line, _ in rows]
    for attack in (
        changed(rows, 50),  # since the last checkpoint
        rechained([FORGED, *lines[1:]]),
        rows[:39],
        [row for row in rows if row[0] != 45],
    ):
        rewrite(book.database, attack, without_checkpoints=True)
        with pytest.raises(errors.DamagedLedger, match=r"nothing is signed|missing"):
            book.checkpoints().make()
    assert sorted(book.elsewhere.iterdir()) == before


def test_a_value_of_another_type_is_a_finding_not_a_crash(book: Book) -> None:
    if not book.database.is_sqlite:
        pytest.skip("PostgreSQL keeps bytes only")
    drop_fence(book.database)
    with book.database.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET line = 'text' WHERE position = 2")
        connection.exec_driver_sql("UPDATE ledger SET node = 17 WHERE position = 59")
    assert book.told() == [(What.CHANGED, 2, 2), (What.CHANGED, 59, 59)]
    with book.database.write() as connection:
        connection.exec_driver_sql("INSERT INTO ledger VALUES (-3, 'text', 'node')")
    assert (What.ADDED, -3, -3) in book.told()
