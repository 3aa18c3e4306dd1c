"""The record of sends, as the threads that work on it use it: whose turn it is, how far it got, when to try again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fileroom.database import Database, Prepared
from fileroom.routing import schema
from fileroom.routing.sends import Send, SendObject, State, now_ms, send_of

PAUSES_SECONDS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

_S, _O = schema.send.c, schema.send_object.c
_DUE = (
    sa.select(_S.destination, sa.func.min(_S.next_ms))
    .where(_S.state == sa.bindparam("waiting"), _S.next_ms <= sa.bindparam("now"))
    .group_by(_S.destination)
    .order_by(sa.func.min(_S.next_ms))
)


@dataclass(slots=True)
class News:
    """What became of some objects of one send since it was last written down."""

    delivered: list[int] = field(default_factory=list)  # places
    failed: list[SendObject] = field(default_factory=list)  # not tried again by themselves
    tried: list[SendObject] = field(default_factory=list)  # still to be delivered

    def __bool__(self) -> bool:
        return bool(self.delivered or self.failed or self.tried)


class Attempts:
    """One server's work on the send table. Thread-safe. Every method raises DatabaseUnavailable, StorageFull."""

    def __init__(self, database: Database, attempts_max: int, pauses_seconds: Sequence[float] = PAUSES_SECONDS) -> None:
        """`attempts_max`: in a row that deliver nothing; then a send has failed. `pauses_seconds`: after each of them,
        the last one for all after."""
        self._database = database
        self._attempts_max = attempts_max
        self._pauses_ms = [int(seconds * 1000) for seconds in pauses_seconds]
        self._due = Prepared(database, _DUE)

    def resume(self) -> int:
        """At the start: what was being sent when the last server ended goes on. How many.

        Its objects are in doubt: the last of them may have arrived without being written down.
        """
        sending = _S.state == State.SENDING
        doubt = sa.and_(_O.send_id.in_(sa.select(_S.id).where(sending)), _O.tries == 0)
        with self._database.write() as connection:
            connection.execute(sa.update(schema.send_object).where(doubt).values(tries=1))
            changes = {"state": State.WAITING, "next_ms": now_ms()}
            return connection.execute(sa.update(schema.send).where(sending).values(changes)).rowcount

    def due(self) -> list[str]:
        """Destinations that something waits for now, the longest waiting first."""
        return [row[0] for row in self._due.rows({"waiting": State.WAITING.value, "now": now_ms()})]

    def claim(self, destination: str) -> Send | None:
        """The next send to this destination, now being sent; None when none is due."""
        query = sa.select(schema.send).where(
            _S.destination == destination, _S.state == State.WAITING, _S.next_ms <= now_ms()
        )
        with self._database.write() as connection:
            row = connection.execute(query.order_by(_S.next_ms, _S.id).limit(1)).one_or_none()
            if row is None:
                return None
            changes = {"state": State.SENDING, "attempts": _S.attempts + 1}
            changed = sa.update(schema.send).where(_S.id == row.id, _S.state == State.WAITING).values(changes)
            if connection.execute(changed).rowcount == 0:
                return None
        claimed = dict(row._mapping) | {"state": State.SENDING, "attempts": row.attempts + 1}
        return Send(**claimed)

    def objects(self, send: Send) -> list[SendObject]:
        """What is to be delivered: what spoilt an attempt before comes last."""
        query = (
            sa.select(_O.place, _O.sop_uid, _O.tries, _O.failed, _O.status, _O.reason)
            .where(_O.send_id == send.id, _O.failed.is_(False))
            .order_by(_O.tries, _O.place)
        )
        with self._database.read() as connection:
            return [SendObject(*row) for row in connection.execute(query)]

    def record(self, send: Send, news: News) -> bool:
        """Write down what became of some objects; whether the send is to go on (False: it was cancelled)."""
        counts: dict[str, object] = {"sent": _S.sent + len(news.delivered), "failed": _S.failed + len(news.failed)}
        if news.delivered:
            counts["attempts"] = 1
        table = schema.send_object
        of_send = sa.and_(_O.send_id == send.id, _O.place == sa.bindparam("at"))
        with self._database.write() as connection:
            state = connection.execute(
                sa.update(schema.send).where(_S.id == send.id).values(counts).returning(_S.state)
            ).scalar_one()
            if news.delivered:
                connection.execute(sa.delete(table).where(of_send), [{"at": place} for place in news.delivered])
            rows = [
                {"at": one.place, "t": one.tries, "f": one.failed, "s": one.status, "r": one.reason}
                for one in (*news.failed, *news.tried)
            ]
            if rows:
                names: dict[str, sa.ColumnElement[Any]] = {
                    "t": _O.tries,
                    "f": _O.failed,
                    "s": _O.status,
                    "r": _O.reason,
                }
                values: dict[sa.ColumnElement[Any], Any] = {
                    column: sa.bindparam(name) for name, column in names.items()
                }
                connection.execute(sa.update(table).where(of_send).values(values), rows)
        return bool(state == State.SENDING)

    def cancelled(self, keys: Sequence[int]) -> list[int]:
        """Those of these sends that are not to be sent any more."""
        query = sa.select(_S.id).where(_S.id.in_(keys), _S.state != State.SENDING)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def interrupted(self, send: Send) -> None:
        """The server stops: it goes on at the next start, and the attempt does not count."""
        changes = {
            "state": State.WAITING,
            "next_ms": now_ms(),
            "attempts": sa.case((_S.attempts > 0, _S.attempts - 1), else_=0),
        }
        self._end(send.id, changes)

    def hopeless(self, send: Send, why: str) -> None:
        """It has failed: trying again by itself makes no sense."""
        self._end(send.id, {"state": State.FAILED, "last_error": why, "ended_ms": now_ms()})

    def ended(self, send: Send, last_error: str) -> Send | None:
        """The attempt is over: done, failed, or to be tried again. The send as it is now; None when it was cancelled.

        `last_error`: what kept the rest from arriving.
        """
        with self._database.write() as connection:
            row = connection.execute(sa.select(schema.send).where(_S.id == send.id).with_for_update()).one()
            now = send_of(row)
            if now.state is not State.SENDING:
                return None
            changes = self._verdict(connection, now, last_error)
            connection.execute(sa.update(schema.send).where(_S.id == send.id).values(changes))
        return Send(**dict(row._mapping) | {"state": State(str(changes["state"]))})

    def _verdict(self, connection: sa.Connection, send: Send, last_error: str) -> dict[str, object]:
        if send.remaining > 0 and send.attempts < self._attempts_max:
            next_ms = now_ms() + self._pauses_ms[min(max(send.attempts, 1), len(self._pauses_ms)) - 1]
            return {"state": State.WAITING, "last_error": last_error, "next_ms": next_ms}
        over: dict[str, object] = {"ended_ms": now_ms()}
        if send.remaining > 0:
            return over | {
                "state": State.FAILED,
                "last_error": f"Given up after {send.attempts} attempts. {last_error}",
            }
        if send.failed:
            first = sa.select(_O.reason).where(_O.send_id == send.id, _O.failed.is_(True)).order_by(_O.place).limit(1)
            what = f"{send.failed} of {send.total} objects did" if send.total > 1 else "The object did"
            text = f"{what} not arrive. The first of them: {connection.execute(first).scalar()}"
            return over | {"state": State.FAILED, "last_error": text}
        return over | {"state": State.DONE, "last_error": None}

    def postpone(self, destination: str, why: str) -> None:
        """The destination cannot be reached: what else is due there counts this as its own attempt."""
        now, attempts = now_ms(), _S.attempts + 1
        times = [sa.literal(now + pause, sa.BigInteger) for pause in self._pauses_ms]
        later = sa.case(*((attempts <= n, time) for n, time in enumerate(times, 1)), else_=times[-1])
        due = sa.and_(_S.destination == destination, _S.state == State.WAITING, _S.next_ms <= now)
        given_up = sa.and_(_S.destination == destination, _S.state == State.WAITING, _S.attempts >= self._attempts_max)
        text = f"Given up after {self._attempts_max} attempts. {why}"
        with self._database.write() as connection:
            changes = {"attempts": attempts, "next_ms": later, "last_error": why}
            connection.execute(sa.update(schema.send).where(due).values(changes))
            failed = {"state": State.FAILED, "ended_ms": now, "last_error": text}
            connection.execute(sa.update(schema.send).where(given_up).values(failed))

    def _end(self, key: int, changes: dict[str, object]) -> None:
        query = sa.update(schema.send).where(_S.id == key, _S.state == State.SENDING).values(changes)
        with self._database.write() as connection:
            connection.execute(query)
