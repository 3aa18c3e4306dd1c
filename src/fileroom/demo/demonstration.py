"""Loading the demonstration into an archive, at once or in the background, and taking all of it out again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import Source
from fileroom.archive.hide import hidden_studies, hide, unhide
from fileroom.archive.packs import Packs
from fileroom.archive.receive import ReceiveLimits, Receiver
from fileroom.archive.removal import Removal, remove_packs
from fileroom.database import Database
from fileroom.demo.loading import Loading, Progress
from fileroom.demo.people import INSTITUTION

if TYPE_CHECKING:
    from fileroom.demo.objects import Planned

DOOR = "demo"
LEFT_OVER = "left over from the demonstration"  # why a study is hidden that could not be taken out whole

_LOOKED_UP = 500  # UIDs at a time
_LIMITS = ReceiveLimits(memory_bytes_max=96 << 20)


@dataclass(frozen=True, slots=True)
class Presence:
    """What of the demonstration is here, hidden studies left out."""

    studies: int
    objects: int
    size_bytes: int


class Demonstration:
    """The demonstration of one archive. Thread-safe; the caller's process holds the writers' lock.

    It stores into packs of its own, beside whatever else the process receives, so that they can be taken out whole.
    """

    def __init__(
        self,
        database: Database,
        packs: Packs,
        home: Path,
        documents: Path,
        site: str,
        plan: Callable[[], list[Planned]] | None = None,
    ) -> None:
        """`documents`: the folder of metadata documents. `plan`: what to load; None: all there is."""
        self._database = database
        self._packs = packs
        self._lock_file = home / "demo.lock"
        self._documents = documents
        self._source = Source(DOOR, "demonstration", site)
        self._plan = plan or _everything
        self._state = threading.Lock()
        self._progress = Progress("idle")
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> bool:
        """Begin to load in the background; False when this does so already.

        Raises InUse while another process loads or removes it, StorageFull.
        """
        with self._state:
            if self._thread is not None and self._thread.is_alive():
                return False
            with self._alone():
                pass
            self._stopping.clear()
            self._progress = Progress("loading")
            self._thread = threading.Thread(target=self._run, name="demonstration", daemon=True)
            self._thread.start()
        return True

    def stop(self) -> None:
        """End loading after the objects under way; what is stored stays. Returns once it has ended."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def progress(self) -> Progress:
        """How far it is now."""
        return self._progress

    def present(self) -> Presence:
        """What is here. Raises DatabaseUnavailable."""
        study, patient = schema.study.c, schema.patient.c
        start = f"issuer {INSTITUTION}\x1f"
        total = [sa.func.coalesce(sa.func.sum(column), 0) for column in (study.instance_count, study.size_bytes)]
        query = sa.select(sa.func.count(), *total).select_from(schema.study.join(schema.patient))
        query = query.where(patient.identity >= start, patient.identity < start[:-1] + "\x20", study.hidden.is_(False))
        with self._database.read() as connection:
            studies, objects, size = connection.execute(query).one()
        return Presence(int(studies), int(objects), int(size))

    def load(self, tell: Callable[[Progress], None] = lambda progress: None) -> Progress:
        """Store what is not here yet, and say what became of it. `tell` hears of every object.

        Raises InUse while another process loads or removes it, StorageFull, DatabaseUnavailable: run it again to go on.
        """
        with self._alone():
            planned = self._plan()
            self._bring_back(planned)
            here = self._here(planned)
            missing = [one for one in planned if one.sop_uid not in here]
            work = Loading(self._source, len(planned), len(planned) - len(missing), tell)
            if missing:
                receiver = Receiver(self._database, self._packs, _LIMITS)
                receiver.start()
                try:
                    work.store(receiver, missing, self._stopping)
                finally:
                    receiver.stop()
            return work.progress("stopped" if self._stopping.is_set() else "done")

    def remove(self) -> Removal:
        """Take it out: rows, documents, files. What anybody else sent is never touched.

        A study that cannot go whole, because a person added to it or its pack is damaged, is hidden instead.
        Raises InUse while it is being loaded, DatabaseUnavailable, StorageFull.
        """
        with self._alone():
            instance = schema.instance.c
            mine = instance.source.startswith(f"{DOOR}:", autoescape=True)
            with self._database.read() as connection:
                pack_ids = list(connection.execute(sa.select(instance.pack_id).where(mine).distinct()).scalars())
            removal = remove_packs(self._database, self._packs, pack_ids, DOOR, self._documents)
            tables = schema.instance.join(schema.series).join(schema.study)
            rest = sa.select(schema.study.c.study_uid).select_from(tables).where(mine).distinct()
            with self._database.read() as connection:
                left = {*removal.left, *connection.execute(rest).scalars()}
            for study_uid in sorted(left):
                with contextlib.suppress(errors.NotFound):
                    hide(self._database, study_uid, LEFT_OVER, "fileroom demo")
            with self._state:
                self._progress = Progress("idle")
        return Removal(
            removal.packs, removal.objects, removal.studies, removal.size_bytes, removal.refused, tuple(sorted(left))
        )

    def _run(self) -> None:
        ended = Progress("failed", error="loading failed", hint="see the log")
        try:
            ended = self.load(self._note)
        except errors.FileroomError as error:
            ended = replace(self._progress, state="failed", error=str(error), hint=error.hint)
        finally:
            self._note(ended)

    def _note(self, progress: Progress) -> None:
        with self._state:
            self._progress = progress

    def _here(self, planned: list[Planned]) -> set[str]:
        """Which of them the archive has, so that they need not be made: made elsewhere, their bytes may differ."""
        column = schema.instance.c.sop_uid
        uids = [one.sop_uid for one in planned]
        found: set[str] = set()
        with self._database.read() as connection:
            for at in range(0, len(uids), _LOOKED_UP):
                found.update(
                    connection.execute(sa.select(column).where(column.in_(uids[at : at + _LOOKED_UP]))).scalars()
                )
        return found

    def _bring_back(self, planned: list[Planned]) -> None:
        """Studies that an earlier removal hid are wanted again."""
        wanted = {one.study_uid for one in planned}
        for hidden in hidden_studies(self._database):
            if hidden.study_uid in wanted and hidden.reason == LEFT_OVER:
                unhide(self._database, hidden.study_uid, "fileroom demo")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Held while this process loads or removes. Raises InUse, StorageFull."""
        try:
            fd = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise errors.StorageFull(f"{self._lock_file} cannot be written: {error.strerror}") from error
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise errors.InUse(
                    "the demonstration is being loaded or removed already", hint="wait until that is done"
                ) from None
            yield
        finally:
            os.close(fd)


def _everything() -> list[Planned]:
    """Loaded only when it is wanted: what makes the objects takes 30 MB of memory."""
    from fileroom.demo.catalogue import everything

    return everything()
