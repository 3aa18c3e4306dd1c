"""Deciding about held objects, and taking it back: what the page and the command call.

A decision and its effect on the index are one transaction: after a crash it is there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fileroom import errors
from fileroom.archive.arrival import Arrival, HeldKey
from fileroom.archive.exchange import bring_back, exchange, file, keep_aside, take_out
from fileroom.archive.held import HeldObject, held_counts, held_objects, held_with_id
from fileroom.archive.index import Index
from fileroom.archive.kept import Kept, Served, check_intact, held_by_id, held_object, read_back, served_object
from fileroom.archive.packs import Packs
from fileroom.archive.verdicts import UNDO, Act, Verdict, acts, check_words, choices, is_strange, write_act
from fileroom.database import Database, Ids, lost_race

_RACES_MAX = 5


@dataclass(frozen=True, slots=True)
class Conflict:
    """One held object, all that is known about it, and what may be done."""

    held: HeldObject
    came: Kept  # the object that is or was held
    other: Kept | None  # what it is to be compared with: served under the same UID, or served until it was replaced
    serves_came: bool  # whether the object that came is in the answers now
    strange: bool  # whether its study is another patient's or site's here
    choices: tuple[Verdict, ...]  # what may be decided; () when a decision stands
    acts: tuple[Act, ...]  # what was decided so far, the latest last
    seen: str  # changes whenever any of this does: what a page hands back


class Conflicts:
    """The held objects of an archive. Thread-safe. Everything raises DatabaseUnavailable."""

    def __init__(self, database: Database, packs: Packs) -> None:
        self._database = database
        self._packs = packs

    def listed(
        self, *, decided: bool = False, limit: int = 50, before: int | None = None, study_uid: str | None = None
    ) -> list[HeldObject]:
        """Those that wait for a person, newest first; with `decided` the others too. `before`: behind this one.

        `study_uid`: only those that name this study, or have the UID of an object in it.
        """
        return held_objects(self._database, limit=limit, decided=decided, before=before, study_uid=study_uid)

    def counts(self, *, decided: bool = False) -> dict[str, int]:
        """How many of each kind wait for a person; with `decided`, how many do no longer."""
        return held_counts(self._database, decided=decided)

    def get(self, held_id: int) -> Conflict:
        """One of them. Raises NotFound."""
        with self._database.read() as connection:
            conflict, _ = self._look(connection, held_id)
        return conflict

    def arrival(self, kept: Kept) -> Arrival:
        """What an object says, its pixels' frame table too. Raises DamagedPack, RefusedObject."""
        return read_back(self._packs, kept)

    def decide(
        self,
        held_id: int,
        verdict: Verdict,
        *,
        who: str,
        why: str = "",
        strange: bool = False,
        seen: str | None = None,
    ) -> None:
        """Decide about a held object; returns after that survives power loss and every answer follows it.

        `strange`: replace although its study is another patient's or site's. `seen`: as the asker saw it; None: as
        it is. Raises NotFound, BadRequest when this cannot be decided, Superseded when somebody else was faster,
        DamagedPack or RefusedObject when the object that would be used cannot be had.
        """
        who, why = check_words(who, why)
        arrival = self._usable(held_id) if verdict in (Verdict.REPLACE, Verdict.ACCEPT) else None

        def act(connection: sa.Connection) -> None:
            conflict, served = self._look(connection, held_id, lock=True)
            _check_seen(conflict, seen)
            if conflict.held.verdict is not None:
                last = conflict.acts[-1]
                raise errors.Superseded(
                    f"decided already: {last.verdict}, by {last.decided_by}", hint="undo that first to decide otherwise"
                )
            _check_choice(conflict, verdict, strange)
            if arrival is not None:
                self._apply(connection, served, arrival)
            former = served if verdict is Verdict.REPLACE else None
            write_act(connection, conflict.held, conflict.came.transfer_syntax, verdict, who, why, former)

        self._write(act)

    def undo(self, held_id: int, *, who: str, why: str = "", seen: str | None = None) -> None:
        """Take the decision that stands back: every answer is as it was before. Raises as `decide` does."""
        who, why = check_words(who, why)
        former = self._former(held_id)

        def act(connection: sa.Connection) -> None:
            conflict, served = self._look(connection, held_id, lock=True)
            _check_seen(conflict, seen)
            if conflict.held.verdict is None:
                raise errors.Superseded("no decision stands: it waits for a person", hint="decide it")
            if conflict.held.verdict in (Verdict.REPLACE, Verdict.ACCEPT):
                self._take_back(connection, conflict, served, former)
            write_act(connection, conflict.held, conflict.came.transfer_syntax, UNDO, who, why, None)

        self._write(act)

    def _look(self, connection: sa.Connection, held_id: int, *, lock: bool = False) -> tuple[Conflict, Served | None]:
        held, came = held_with_id(connection, held_id, lock=lock), held_by_id(connection, held_id)
        if held is None or came is None:
            raise errors.NotFound("no such conflict", hint="fileroom conflicts --all lists them")
        said = self._said(came)
        served = served_object(connection, held.sop_uid)
        done = tuple(acts(connection, held_id))
        serves_came = served is not None and served.kept.key == came.key
        other = served.kept if served is not None and not serves_came else None
        if held.verdict == Verdict.REPLACE:
            other = held_object(connection, _former_key(held, done[-1])) or other
        conflict = Conflict(
            held=held,
            came=came,
            other=other,
            serves_came=serves_came,
            strange=said is None or is_strange(connection, said),
            choices=choices(held, served) if held.verdict is None else (),
            acts=done,
            seen=f"{done[-1].id if done else 0}-{'' if served is None else served.kept.digest[:16]}",
        )
        return conflict, served

    def _said(self, kept: Kept) -> Arrival | None:
        """What an object says; None when it can no longer be read."""
        try:
            return read_back(self._packs, kept)
        except (errors.DamagedPack, errors.RefusedObject):
            return None

    def _usable(self, held_id: int) -> Arrival:
        """The held object, whole, as the arrival it was. Read before the transaction: it may be large."""
        with self._database.read() as connection:
            came = held_by_id(connection, held_id)
        if came is None:
            raise errors.NotFound("no such conflict", hint="fileroom conflicts --all lists them")
        check_intact(self._packs, came)
        arrival = read_back(self._packs, came)
        arrival.sequence = held_id
        return arrival

    def _former(self, held_id: int) -> Arrival | None:
        """The same of the object that the held one replaced; None when it replaced none."""
        with self._database.read() as connection:
            held, done = held_with_id(connection, held_id), acts(connection, held_id)
            if held is None or held.verdict != Verdict.REPLACE:
                return None
            former = held_object(connection, _former_key(held, done[-1]))
        if former is None:
            raise errors.DamagedPack("it is not known any more which object was replaced", hint="run: fileroom scrub")
        check_intact(self._packs, former)
        return read_back(self._packs, former)

    def _apply(self, connection: sa.Connection, served: Served | None, arrival: Arrival) -> None:
        if served is None:
            file(connection, self._packs, Index(Ids()), arrival)
        else:
            keep_aside(connection, Ids(), served.kept)
            exchange(connection, self._packs, served, arrival)

    def _take_back(
        self, connection: sa.Connection, conflict: Conflict, served: Served | None, former: Arrival | None
    ) -> None:
        if served is None or not conflict.serves_came:
            raise errors.Superseded(
                "a later decision about the same SOP Instance UID came after this one", hint="undo that one first"
            )
        keep_aside(connection, Ids(), served.kept)
        if conflict.held.verdict == Verdict.ACCEPT:
            take_out(connection, self._packs, served)
            return
        if former is None or former.held_key != _former_key(conflict.held, conflict.acts[-1]):
            raise errors.Superseded("somebody else decided meanwhile", hint="look at it again")
        exchange(connection, self._packs, served, former)
        bring_back(connection, former.held_key)

    def _write(self, act: Callable[[sa.Connection], None]) -> None:
        for _ in range(_RACES_MAX):
            try:
                with self._database.write() as connection:
                    act(connection)
                return
            except (IntegrityError, errors.DatabaseUnavailable) as error:
                if not lost_race(error):
                    raise
        raise errors.DatabaseUnavailable("another process wrote the same rows each time", hint="try again")


def _former_key(held: HeldObject, act: Act) -> HeldKey:
    return held.sop_uid, act.former_digest or "", act.former_syntax or ""


def _check_seen(conflict: Conflict, seen: str | None) -> None:
    if seen is not None and seen != conflict.seen:
        last = f": {conflict.acts[-1].verdict}, by {conflict.acts[-1].decided_by}" if conflict.acts else ""
        raise errors.Superseded(f"somebody else was faster{last}", hint="look at it again, then decide")


def _check_choice(conflict: Conflict, verdict: Verdict, strange: bool) -> None:
    if verdict not in conflict.choices:
        text = ", ".join(conflict.choices)
        why = "of another series than the one here" if conflict.other is not None else "the only one of its UID"
        raise errors.BadRequest(
            f"{verdict} cannot be decided here: the object that came is {why}", hint=f"one of: {text}"
        )
    if verdict is Verdict.REPLACE and conflict.strange and not strange:
        raise errors.BadRequest(
            "the object that came names another patient or site than the study it would be served in",
            hint="when that is right all the same, confirm it (--other-patient)",
        )
