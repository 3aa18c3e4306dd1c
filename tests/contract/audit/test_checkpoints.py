"""Checkpoints are signed once, kept in both places, and prove what they should."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom import errors, migrations
from fileroom.audit import reading
from fileroom.audit.anchors import Leaves, read_anchors
from fileroom.audit.checkpoints import Checkpoints
from fileroom.audit.event import written
from fileroom.audit.ledger import Ledger
from fileroom.audit.note import Checkpoint
from fileroom.audit.tree import leaf_hash, verify_consistency, verify_inclusion
from fileroom.database import Database
from tests.support.tampering import view


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def test_both_places_hold_each_checkpoint_and_the_hashes_of_all_lines(database: Database, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    made = []
    for start, place in ((0, None), (7, second), (11, second)):  # the second place is named later
        Ledger(database).record([view(number) for number in range(start, start + 7)][: 11 - start or None])
        made.append(Checkpoints(database, tmp_path, place).make().checkpoint)
    book = Checkpoints(database, tmp_path, second)
    verifier = book.verifier()
    assert verifier is not None
    assert [one.size for one in made] == [7, 11, 18]
    assert [one.checkpoint for one in read_anchors(book.folders[0], verifier)] == made
    assert [(one.checkpoint, one.signed) for one in read_anchors(second, verifier)] == [(one, True) for one in made[1:]]
    for folder in book.folders:
        with database.read() as connection:
            assert list(Leaves(folder)) == [leaf_hash(line) for _, line, _ in reading.rows(connection)]
        assert Leaves(folder).proven(read_anchors(folder, verifier)) == 18


def test_a_ledger_that_did_not_grow_is_signed_once(database: Database, tmp_path: Path) -> None:
    Ledger(database).record([view(0)])
    book = Checkpoints(database, tmp_path)
    first, again = book.make(), book.make()
    assert (first.new, again.new) == (True, False)
    assert first.checkpoint == again.checkpoint
    assert len(read_anchors(book.folders[0], book.verifier())) == 1


def test_an_empty_ledger_can_be_signed_for(database: Database, tmp_path: Path) -> None:
    assert Checkpoints(database, tmp_path).make().checkpoint.size == 0
    Ledger(database).record([view(0)])
    assert Checkpoints(database, tmp_path).make().checkpoint.size == 1


def test_the_key_is_this_users_alone_and_is_never_replaced(database: Database, tmp_path: Path) -> None:
    book = Checkpoints(database, tmp_path)
    book.make()
    secret = book.folder / "signing-key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.unlink()
    with pytest.raises(errors.DamagedLedger, match="gone"):
        book.make()


def test_a_second_place_that_is_not_there_is_said(database: Database, tmp_path: Path) -> None:
    with pytest.raises(errors.FileroomError, match="cannot be kept"):
        Checkpoints(database, tmp_path, tmp_path / "unmounted").make()


def test_the_rows_prove_any_line_and_any_earlier_checkpoint(database: Database, tmp_path: Path) -> None:
    Ledger(database).record([view(number) for number in range(45)])
    with database.read() as connection:
        roots = {size: reading.root_of(connection, size) for size in range(1, 46)}
        for position in range(45):
            path = reading.inclusion(connection, position, 45)
            assert verify_inclusion(written(view(position)).data, position, 45, path, roots[45])
        for old in range(1, 46):
            assert verify_consistency(old, 45, roots[old], roots[45], reading.consistency(connection, old, 45))


def test_a_checkpoint_reads_as_other_programs_expect_it(database: Database, tmp_path: Path) -> None:
    Ledger(database).record([view(0)])
    book = Checkpoints(database, tmp_path)
    made = book.make().checkpoint
    verifier = book.verifier()
    assert verifier is not None
    text = (book.folders[0] / f"{1:020d}.note").read_text()
    assert Checkpoint.parse(verifier.check(text)) == made
    assert text.splitlines()[0] == verifier.name == made.origin
