"""Gives studies the words they are looked for by (`words`), a moment after they arrived: off the acknowledged path.

It follows the index, so it sees what any process stores.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.schema import study_word, study_word_state
from fileroom.archive.words import words_of
from fileroom.database import Database, lost_race

log = logging.getLogger("fileroom.archive")

_POLL_SECONDS = 1.0
_OBJECTS_MAX = 5000  # looked at in one step
_STUDIES_MAX = 100  # written in one transaction: other writers wait for it
_LATE_SECONDS = 120  # another process's transaction may show objects older than the newest for so long

_PATIENT, _STUDY, _SERIES, _INSTANCE = schema.patient.c, schema.study.c, schema.series.c, schema.instance.c
_WORD, _STATE = study_word.c, study_word_state.c

_GROWN = (
    sa.select(_INSTANCE.id, _SERIES.study_pk)
    .join(schema.series, _SERIES.id == _INSTANCE.series_pk)
    .where(_INSTANCE.id > sa.bindparam("last"))
    .order_by(_INSTANCE.id)
    .limit(_OBJECTS_MAX)
)
_NAMELESS = sa.select(_STUDY.id).where(
    _STUDY.id > sa.bindparam("since"), ~sa.select(1).where(_WORD.study_pk == _STUDY.id).exists()
)
_VALUES = (
    sa.select(
        _STUDY.id,
        _PATIENT.patient_name,
        _PATIENT.patient_id,
        _STUDY.accession,
        _STUDY.study_description,
        _STUDY.modalities,
    )
    .join(schema.patient, _PATIENT.id == _STUDY.patient_pk)
    .where(_STUDY.id.in_(sa.bindparam("keys", expanding=True)))
)


def renew_words(connection: sa.Connection, studies: sa.ColumnElement[bool]) -> None:
    """Give studies whose values changed other words. Those that have none yet are left to the `WordMaker`."""
    named = sa.select(_STUDY.id).where(studies, sa.select(1).where(_WORD.study_pk == _STUDY.id).exists())
    keys = sorted(connection.execute(named).scalars())
    for at in range(0, len(keys), _STUDIES_MAX):
        part = keys[at : at + _STUDIES_MAX]
        connection.execute(sa.delete(study_word).where(_WORD.study_pk.in_(part)))
        _add(connection, _words(connection.execute(_VALUES, {"keys": part}).all()))


def _words(rows: Iterable[Any]) -> set[tuple[int, str]]:
    """Study key and word, of rows of `_VALUES`."""
    found = set()
    for row in rows:
        texts = (row.patient_id, row.accession, row.study_description)
        found |= {(row.id, word) for word in words_of([row.patient_name], texts, row.modalities.split("\\"))}
    return found


def _add(connection: sa.Connection, words: set[tuple[int, str]]) -> None:
    if words:
        rows = [{"study_pk": study_pk, "word": word} for study_pk, word in sorted(words)]
        connection.execute(sa.insert(study_word), rows)


class WordMaker:
    """One background thread. `start` once, `stop` once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="words", daemon=True)

    def start(self) -> None:
        """Follow the index from where the last run stopped."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step in hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            begin = time.monotonic()
            try:
                busy = self.step()
            except (errors.FileroomError, sa.exc.IntegrityError) as error:
                if not lost_race(error):
                    log.warning("words not made error=%s", error)
                busy = False
            pause = time.monotonic() - begin if busy else _POLL_SECONDS

    def step(self) -> bool:
        """Give their words to the studies that the next objects went to; False when nothing is left to do.

        Raises DatabaseUnavailable, StorageFull; IntegrityError when another process did the same.
        """
        with self._database.read() as connection:
            last = connection.execute(sa.select(_STATE.last_key)).scalar() or 0
            grown = connection.execute(_GROWN, {"last": last}).all()
            since = max(0, (grown[-1][0] if grown else last) - (_LATE_SECONDS * 1000 << 22))
            late = set(connection.execute(_NAMELESS, {"since": since}).scalars())
        keys = sorted({study_pk for _, study_pk in grown} | late)
        for at in range(0, len(keys), _STUDIES_MAX):
            if self._stopping.is_set():
                return False
            self._write(keys[at : at + _STUDIES_MAX])
        if grown:
            self._remember(grown[-1][0], last)
        return len(grown) == _OBJECTS_MAX

    def _write(self, keys: Iterable[int]) -> None:
        """What is there already stays untouched: most studies that grow have their words."""
        with self._database.read() as connection:
            rows = connection.execute(_VALUES, {"keys": list(keys)}).all()
            known = connection.execute(
                sa.select(_WORD.study_pk, _WORD.word).where(_WORD.study_pk.in_([row.id for row in rows]))
            )
            had = {(study_pk, word) for study_pk, word in known}
        new = _words(rows)
        if not new - had:
            return
        with self._database.write() as connection:
            _add(connection, new - had)

    def _remember(self, last: int, before: int) -> None:
        with self._database.write() as connection:
            if before and connection.execute(sa.update(study_word_state).values(last_key=last)).rowcount:
                return
            connection.execute(sa.delete(study_word_state))
            connection.execute(sa.insert(study_word_state).values(id=1, last_key=last))
