"""Whole packs of one door are taken out: rows, documents and files together, whatever is cut off in between, and
nothing that came through another door."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors, migrations
from fileroom.archive import schema
from fileroom.archive.arrival import Outcome
from fileroom.archive.backup import backup
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.heal import heal
from fileroom.archive.hide import hidden_studies, hide
from fileroom.archive.packs import Packs
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.receive import ReceiveLimits, Source
from fileroom.archive.removal import Removal, remove_packs
from fileroom.archive.scrub import scrub
from fileroom.archive.verdicts import Verdict
from fileroom.database import METADATA, Database
from tests.support.archives import ct, running_archive

DEMO = Source("demo", "fileroom", "main")
REAL = Source("dimse", "CT1", "main")


@dataclass(frozen=True, slots=True)
class Home:
    """An archive that nobody writes at the moment."""

    path: Path
    url: str
    database: Database
    packs: Packs

    def store(self, source: Source, *datasets: object) -> set[int]:
        """Store them by a process of their own, so in packs of their own; which."""
        before = set(self.packs.ids())
        with running_archive(self.path, self.url) as archive:
            for dataset in datasets:
                archive.store(dataset, source)  # type: ignore[arg-type]
        return set(self.packs.ids()) - before

    def remove(self, packs: set[int]) -> Removal:
        return remove_packs(self.database, self.packs, packs, "demo", self.path / "documents")

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """What the index says, but for times and revisions."""
        kept = {}
        with self.database.read() as connection:
            for name in schema.SHADOWS:
                table = METADATA.tables[name]
                columns = [c for c in table.c if not c.name.endswith("_ms") and c.name not in ("revision", "closed")]
                kept[name] = sorted((tuple(row) for row in connection.execute(sa.select(*columns))), key=str)
        return kept

    def uids(self) -> set[str]:
        with self.database.read() as connection:
            return set(connection.execute(sa.select(schema.instance.c.sop_uid)).scalars())


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Home]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield Home(tmp_path, database_url, database, Packs(tmp_path / "packs"))
    database.close()


def test_what_is_left_is_as_if_the_removed_had_never_come(home: Home) -> None:
    home.store(REAL, ct(1, study=1), ct(2, study=1))
    before = home.rows()
    packs = home.store(DEMO, ct(1, study=5, patient="D1"), ct(2, study=5, series=2, patient="D1"), ct(1, study=6))
    removal = home.remove(packs)
    assert (removal.packs, removal.objects, removal.studies) == (1, 3, 2)
    assert removal.size_bytes > 0
    assert (removal.refused, removal.left) == ((), ())
    assert home.rows() == before
    assert scrub(home.database, home.packs).findings == ()


def test_it_stays_out_when_the_index_is_made_anew(home: Home) -> None:
    home.store(REAL, ct(1, study=1))
    home.remove(home.store(DEMO, ct(1, study=5)))
    before = home.rows()
    assert rebuild_index(home.database, home.packs).findings == ()
    assert _counts(home.rows()) == _counts(before)
    assert home.uids() == {"1.2.9.1.1.1"}
    assert heal(home.database, home.packs).objects_indexed == 0


def test_a_pack_that_holds_one_object_of_another_door_stays_whole(home: Home) -> None:
    with running_archive(home.path, home.url) as archive:
        archive.store(ct(1, study=5), DEMO)
        archive.store(ct(2, study=5), REAL)
    before = home.rows()
    removal = home.remove(set(home.packs.ids()))
    assert (removal.objects, removal.refused) == (0, tuple(home.packs.ids()))
    assert home.rows() == before


def test_an_import_cannot_pass_itself_off_as_the_demonstration(home: Home) -> None:
    packs = home.store(Source("import", "demo:fileroom", "main"), ct(1))
    assert home.remove(packs).refused == tuple(packs)
    assert len(home.uids()) == 1


def test_a_pack_that_somebody_writes_stays(home: Home) -> None:
    with running_archive(home.path, home.url) as archive:
        archive.store(ct(1), DEMO)
        assert home.remove(set(home.packs.ids())).objects == 0
    assert len(home.uids()) == 1


def test_a_damaged_pack_stays(home: Home) -> None:
    packs = home.store(DEMO, ct(1), ct(2))
    (pack,) = packs
    with home.packs.path(pack).open("r+b") as file:
        file.seek(600)
        file.write(b"X" * 20)
    assert home.remove(packs).refused == (pack,)
    assert len(home.uids()) == 2


def test_what_a_person_added_to_a_study_that_goes_is_kept_and_named(home: Home) -> None:
    packs = home.store(DEMO, ct(1, study=5), ct(2, study=5), ct(1, study=5, series=2))
    home.store(REAL, ct(9, study=5, series=2), ct(1, study=5, series=3))
    removal = home.remove(packs)
    assert (removal.objects, removal.studies, removal.left) == (3, 0, ("1.2.9.5",))
    assert home.uids() == {"1.2.9.5.2.9", "1.2.9.5.3.1"}
    counted = home.rows()
    rebuild_index(home.database, home.packs)
    assert _counts(counted) == _counts(home.rows())


def _counts(rows: dict[str, list[tuple[object, ...]]]) -> list[list[object]]:
    """The whole numbers of patients, studies and series that are no row keys."""
    return [
        [value for row in rows[name] for value in row if isinstance(value, int) and value < 1 << 40]
        for name in ("patient", "study", "series")
    ]


def test_a_server_that_remembers_what_went_stores_it_again(home: Home) -> None:
    """It keeps rows of patients, studies and series in mind between batches."""
    with running_archive(home.path, home.url, ReceiveLimits(pack_bytes_max=1)) as server:  # a pack for each
        server.store(ct(1, study=5), DEMO)
        (pack,) = home.packs.ids()
        server.store(ct(1, study=6, patient="D2"), REAL)
        assert home.remove({pack}).objects == 1
        for dataset in (ct(1, study=5), ct(2, study=5), ct(1, study=7)):
            assert server.store(dataset, REAL).outcome is Outcome.STORED
    assert home.uids() == {"1.2.9.5.1.1", "1.2.9.5.1.2", "1.2.9.6.1.1", "1.2.9.7.1.1"}


@pytest.mark.parametrize("moment", ["before the rows are committed", "before the files are gone", "between two files"])
def test_cut_off_it_is_all_there_or_all_gone_and_the_next_start_knows(
    home: Home, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.store(REAL, ct(1, study=1))
    packs = home.store(DEMO, ct(1, study=5)) | home.store(DEMO, ct(1, study=6))
    everything = home.uids()
    with monkeypatch.context() as patch:
        _cut(patch, moment)
        with pytest.raises((RuntimeError, errors.StorageFull)):
            home.remove(packs)
    if moment == "before the rows are committed":
        assert home.uids() == everything
        assert set(home.packs.ids()) > packs
        home.remove(packs)
    for again in (heal, rebuild_index, heal):
        again(home.database, home.packs)
        assert home.uids() == {"1.2.9.1.1.1"}
        assert packs & set(home.packs.ids()) == set()


def _cut(patch: pytest.MonkeyPatch, moment: str) -> None:
    done: list[Path] = []
    unlink = Path.unlink

    def failing(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".tar":
            if moment == "before the files are gone" or done:
                raise OSError(5, "cut off")
            done.append(path)
        unlink(path, missing_ok)

    def cut(self: object, pack_ids: list[int]) -> None:
        raise RuntimeError("cut off")

    if moment == "before the rows are committed":
        patch.setattr("fileroom.archive.removal._Removing._note", cut)
    else:
        patch.setattr(Path, "unlink", failing)


def test_a_real_pack_under_a_noted_number_is_never_deleted(home: Home) -> None:
    (pack,) = home.store(REAL, ct(1))
    with home.database.write() as connection:
        connection.execute(sa.insert(schema.removed_pack), [{"id": pack, "door": "demo", "removed_ms": 1}])
    heal(home.database, home.packs)
    assert home.packs.path(pack).exists()


def test_an_earlier_backup_is_brought_up_to_date(home: Home, tmp_path: Path) -> None:
    home.store(REAL, ct(1, study=1))
    packs = home.store(DEMO, ct(1, study=5))
    copy = tmp_path / "copy"
    backup(home.database, home.packs, copy)
    home.remove(packs)
    assert backup(home.database, home.packs, copy).objects == 1
    assert Packs(copy / "packs").ids() == home.packs.ids()


def test_an_older_backup_put_back_gives_no_removed_pack_back(home: Home, tmp_path: Path) -> None:
    packs = home.store(DEMO, ct(1, study=5))
    shutil.copytree(home.path / "packs", tmp_path / "old")
    home.remove(packs)
    shutil.copytree(tmp_path / "old", home.path / "packs", dirs_exist_ok=True)
    assert heal(home.database, home.packs).objects_indexed == 0
    assert home.uids() == set()


def test_documents_of_what_goes_are_deleted(home: Home) -> None:
    packs = home.store(DEMO, ct(1, study=5))
    home.store(REAL, ct(1, study=1))
    with home.database.read() as connection:
        pairs = sa.select(schema.study.c.study_uid, schema.series.c.id).join(schema.study)
        keys = {row.study_uid: row.id for row in connection.execute(pairs)}
    folder = home.path / "documents"
    folder.mkdir()
    for uid in ("1.2.9.5", "1.2.9.1"):
        (folder / f"{keys[uid]:x}-1-abc.json").write_text("[]")
    home.remove(packs)
    assert [path.name for path in folder.iterdir()] == [f"{keys['1.2.9.1']:x}-1-abc.json"]


def test_a_hidden_study_that_goes_is_hidden_no_more_when_it_comes_again(home: Home) -> None:
    packs = home.store(DEMO, ct(1, study=5))
    hide(home.database, "1.2.9.5", "a try", "somebody")
    home.remove(packs)
    assert hidden_studies(home.database) == []


def test_an_object_that_a_person_replaced_by_one_that_would_go_is_not_lost(home: Home) -> None:
    home.store(REAL, ct(1))
    packs = home.store(DEMO, ct(1, pixels=bytes(32)))
    conflicts = Conflicts(home.database, home.packs)
    (held,) = conflicts.listed()
    conflicts.decide(held.id, Verdict.REPLACE, who="Ada")
    assert home.remove(packs).refused == tuple(packs)
    conflicts.undo(held.id, who="Ada")
    assert home.remove(packs).packs == 1
    assert home.uids() == {"1.2.9.1.1.1"}
    assert scrub(home.database, home.packs).findings == ()
