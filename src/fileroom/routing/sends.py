"""The record of sends: what is to go where, how far it is, and what did not arrive."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema as archive
from fileroom.archive.arrival import check_label
from fileroom.archive.peers import Peers
from fileroom.archive.retrieve import ORDER
from fileroom.database import Database, Ids
from fileroom.routing import schema

_S, _O = schema.send.c, schema.send_object.c


class State(StrEnum):
    """Where a send is."""

    WAITING = "waiting"  # for its turn, or for the next attempt
    SENDING = "sending"
    DONE = "done"  # the destination has every object
    FAILED = "failed"  # something did not arrive, and is not tried again by itself
    CANCELLED = "cancelled"


OPEN = (State.WAITING, State.SENDING)
_AGAIN = (State.WAITING, State.FAILED, State.CANCELLED)  # may be tried again by hand


@dataclass(frozen=True, slots=True)
class Send:
    """One send."""

    id: int
    study_uid: str
    destination: str  # AE title
    requested_by: str
    created_ms: int  # since 1970 UTC, as all of these
    state: State
    attempts: int  # in a row that delivered nothing, the one under way included
    total: int  # objects
    sent: int  # objects the destination said it has
    failed: int  # objects that are not tried again by themselves
    last_error: str | None
    next_ms: int  # of the next attempt, while waiting
    ended_ms: int | None

    @property
    def remaining(self) -> int:
        """Objects that are still tried."""
        return self.total - self.sent - self.failed


@dataclass(frozen=True, slots=True)
class SendObject:
    """One object of a send that the destination is not known to have."""

    place: int
    sop_uid: str
    tries: int
    failed: bool  # not tried again by itself
    status: int | None  # of the destination's last C-STORE response about it
    reason: str | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Sends to one destination."""

    waiting: int  # or under way
    failed: int  # and are not tried again by themselves


_SEND = sa.select(*(_S[field.name] for field in fields(Send)))
_OBJECT = sa.select(*(_O[field.name] for field in fields(SendObject)))


class Sends:
    """The send table, as people and programs use it. Thread-safe; any process may ask and change.

    Every method raises DatabaseUnavailable; those that change return once durable and raise StorageFull.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = Ids()

    def add(self, study_uid: str, destination: str, requested_by: str, series_uids: Sequence[str] = ()) -> Send:
        """Queue what is here of a study, or of some of its series.

        Raises NotFound when the destination is no known peer, or when there is nothing of the study here or it is
        hidden; BadRequest for a name of who asks that cannot be one.
        """
        peer = Peers(self._database).find(destination)
        if peer is None:
            raise errors.NotFound("there is no peer of that AE title", hint="fileroom peer list")
        study = archive.study.c.study_uid == study_uid
        chosen = sa.and_(study, archive.series.c.series_uid.in_(series_uids)) if series_uids else study
        sop_uids = self._objects(chosen)
        if not sop_uids:
            raise errors.NotFound(
                "nothing of that study is here", hint="the Study Instance UID is needed, not the accession number"
            )
        with self._database.write() as connection:
            key = self.queue(connection, study_uid, peer.ae_title, requested_by, sop_uids)
        return self.get(key)

    def _objects(self, chosen: sa.ColumnElement[bool]) -> list[str]:
        instance, series, study = archive.instance, archive.series, archive.study
        joined = instance.join(series, series.c.id == instance.c.series_pk).join(study, study.c.id == series.c.study_pk)
        query = sa.select(instance.c.sop_uid).select_from(joined).where(study.c.hidden.is_(False), chosen)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(*ORDER)).scalars())

    def queue(
        self, connection: sa.Connection, study_uid: str, destination: str, requested_by: str, sop_uids: Sequence[str]
    ) -> int:
        """Queue these objects inside the caller's transaction; the send's id. Raises BadRequest as `add` does.

        The destination need not be a peer now: an attempt fails until it is one.
        """
        now, key = now_ms(), self._ids.next()
        row = {
            "id": key,
            "study_uid": study_uid,
            "destination": destination,
            "requested_by": check_label(requested_by, "who asks for it"),
            "created_ms": now,
            "state": State.WAITING,
            "attempts": 0,
            "total": len(sop_uids),
            "sent": 0,
            "failed": 0,
            "next_ms": now,
        }
        connection.execute(sa.insert(schema.send), [row])
        rest = {"send_id": key, "tries": 0, "failed": False}
        rows = [{"place": place, "sop_uid": uid} | rest for place, uid in enumerate(sop_uids)]
        connection.execute(sa.insert(schema.send_object), rows)
        return key

    def get(self, key: int) -> Send:
        """One send. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(_SEND.where(_S.id == key)).one_or_none()
        if row is None:
            raise errors.NotFound("there is no such send", hint="fileroom sends")
        return send_of(row)

    def find(
        self,
        *,
        states: Sequence[State] = (),
        study_uid: str | None = None,
        destination: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Send]:
        """Sends, newest first. `before`: an id; those older than it."""
        query = _SEND.order_by(_S.id.desc()).limit(limit)
        if states:
            query = query.where(_S.state.in_(states))
        if study_uid is not None:
            query = query.where(_S.study_uid == study_uid)
        if destination is not None:
            query = query.where(_S.destination == destination)
        if before is not None:
            query = query.where(_S.id < before)
        with self._database.read() as connection:
            return [send_of(row) for row in connection.execute(query)]

    def objects(self, key: int, *, limit: int = 1000) -> list[SendObject]:
        """What the destination is not known to have, first what is not tried again by itself."""
        query = _OBJECT.where(_O.send_id == key).order_by(_O.failed.desc(), _O.place).limit(limit)
        with self._database.read() as connection:
            return [SendObject(*row) for row in connection.execute(query)]

    def counts(self) -> dict[State, int]:
        """How many sends are in each state."""
        query = sa.select(_S.state, sa.func.count()).group_by(_S.state)
        with self._database.read() as connection:
            found = {State(state): count for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in State}

    def unfinished(self) -> dict[str, Unfinished]:
        """What did not arrive so far, by destination; those with nothing are left out."""
        query = sa.select(_S.destination, _S.state, sa.func.count()).group_by(_S.destination, _S.state)
        counts: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for destination, state, count in connection.execute(query.where(_S.state.in_((*OPEN, State.FAILED)))):
                counts.setdefault(destination, {})[state] = count
        return {
            destination: Unfinished(sum(of.get(state, 0) for state in OPEN), of.get(State.FAILED, 0))
            for destination, of in counts.items()
        }

    def cancel(self, key: int) -> Send:
        """Send nothing more of it; what is there already stays there. Raises NotFound, BadRequest when it has ended."""
        changes = {"state": State.CANCELLED, "ended_ms": now_ms()}
        query = sa.update(schema.send).where(_S.id == key, _S.state.in_(OPEN)).values(changes)
        with self._database.write() as connection:
            changed = connection.execute(query).rowcount
        found = self.get(key)
        if not changed and found.state is not State.CANCELLED:
            raise errors.BadRequest(f"this send is {found.state}: there is nothing to cancel")
        return found

    def retry(self, key: int) -> Send:
        """Try now what has not arrived, refused objects too. Raises NotFound, BadRequest when nothing is left."""
        changes = {"state": State.WAITING, "attempts": 0, "failed": 0, "next_ms": now_ms(), "ended_ms": None}
        with self._database.write() as connection:
            query = sa.update(schema.send).where(_S.id == key, _S.state.in_(_AGAIN)).values(changes)
            changed = connection.execute(query).rowcount
            if changed:
                again = {"failed": False, "status": None, "reason": None}
                connection.execute(sa.update(schema.send_object).where(_O.send_id == key).values(again))
        found = self.get(key)
        if not changed:
            what = "it is being sent now" if found.state is State.SENDING else "the destination has every object"
            raise errors.BadRequest(f"there is nothing to try again: {what}")
        return found


def send_of(row: sa.Row[tuple[object, ...]]) -> Send:
    values = dict(row._mapping)
    return Send(**values | {"state": State(values["state"])})


def now_ms() -> int:
    return time.time_ns() // 1_000_000
