"""What a person may decide about a held object, and the ledger of who did. A record: never rebuilt, only added to."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import Arrival
from fileroom.archive.belonging import belongs
from fileroom.archive.held import HeldObject
from fileroom.archive.kept import FORMER, Served
from fileroom.archive.whose import patient_ids
from fileroom.audit.actor import now_ms
from fileroom.audit.event import Event, Kind
from fileroom.audit.outbox import put
from fileroom.database import Ids

NAME_CHARACTERS_MAX = 64
WHY_CHARACTERS_MAX = 500

_D, _H, _S, _P = schema.held_decision.c, schema.held.c, schema.study.c, schema.patient.c


class Verdict(StrEnum):
    """What can be decided. Nothing is ever deleted, and everything can be undone."""

    KEEP = "keep"  # what is here stays in every answer; the object that came stays apart
    REPLACE = "replace"  # the object that came takes the place of the one here, which is kept apart
    ACCEPT = "accept"  # the object that came is filed in the study it names, whoever's that is
    KEEP_OUT = "keep-out"  # the object that came stays apart


UNDO = "undo"  # in the ledger: the decision before it no longer stands


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the ledger."""

    id: int
    held_id: int
    verdict: str  # a Verdict, or UNDO
    digest: str  # of the object that was held
    former_digest: str | None  # of the object it replaced; None for other verdicts
    former_syntax: str | None
    decided_by: str
    why: str
    decided_ms: int  # since 1970 UTC


_ACTS = sa.select(
    _D.id,
    _D.held_id,
    _D.verdict,
    _D.digest,
    _D.former_digest,
    _D.former_syntax,
    _D.decided_by,
    _D.why,
    _D.decided_ms,
)


def acts(connection: sa.Connection, held_id: int) -> list[Act]:
    """All that was decided about a held object, the latest last."""
    rows: Iterable[Any] = connection.execute(_ACTS.where(_D.held_id == held_id).order_by(_D.id))
    return [Act(*row) for row in rows]


def write_act(
    connection: sa.Connection, held: HeldObject, syntax: str, verdict: str, who: str, why: str, former: Served | None
) -> None:
    """Add a line to the ledger, and say on the held object whether it still waits."""
    newest = connection.execute(sa.select(sa.func.max(_D.id))).scalar() or 0
    row = {
        "id": Ids(after=newest).next(),
        "held_id": held.id,
        "verdict": verdict,
        "sop_uid": held.sop_uid,
        "digest": held.digest,
        "transfer_syntax": syntax,
        "former_digest": None if former is None else former.kept.digest,
        "former_syntax": None if former is None else former.kept.transfer_syntax,
        "decided_by": who,
        "why": why,
        "decided_ms": int(time.time() * 1000),
    }
    connection.execute(sa.insert(schema.held_decision), [row])
    detail = f"{verdict} the object {held.sop_uid}"
    study_uid = held.study_uid
    patient_id = patient_ids(connection, [study_uid]).get(study_uid, "")
    event = Event(Kind.CORRECT, now_ms(), who, patient_id=patient_id, study_uid=study_uid, why=why, detail=detail)
    put(connection, [event._replace(series_uid=held.series_uid, sop_uid=held.sop_uid)])
    stands = None if verdict == UNDO else verdict
    connection.execute(sa.update(schema.held).where(_H.id == held.id).values(verdict=stands))


def applied(connection: sa.Connection) -> list[tuple[int, Verdict, tuple[str, str, str]]]:
    """The decisions that stand and change answers, in the order they were taken: hold, verdict, the object's key."""
    last = sa.select(sa.func.max(_D.id)).where(_D.held_id == _H.id).scalar_subquery()
    query = (
        sa.select(_H.id, _H.verdict, _H.sop_uid, _H.digest, _H.transfer_syntax)
        .where(_H.kind != FORMER, _H.verdict.in_([Verdict.REPLACE, Verdict.ACCEPT]))
        .order_by(last)
    )
    return [(held_id, Verdict(verdict), tuple(key)) for held_id, verdict, *key in connection.execute(query)]


def is_strange(connection: sa.Connection, arrival: Arrival) -> bool:
    """Whether the study an object names is another patient's or site's here. Locks the study: it stays as it is."""
    connection.execute(sa.select(_S.id).where(_S.study_uid == arrival.study_uid).with_for_update())
    return names_another(connection, arrival)


def names_another(connection: sa.Connection, arrival: Arrival) -> bool:
    """The same as things are at this moment."""
    query = sa.select(_P.identity, _S.site, _P.id).join_from(schema.study, schema.patient, _P.id == _S.patient_pk)
    row = connection.execute(query.where(_S.study_uid == arrival.study_uid)).first()
    if row is None:
        return False
    identity, site, patient_pk = row
    if (identity, site) == (arrival.identity, arrival.site):
        return False
    kin = arrival.leaves_issuer_open(identity) and belongs(connection, arrival, patient_pk, {})
    return site != arrival.site or not kin


def choices(held: HeldObject, served: Served | None) -> tuple[Verdict, ...]:
    """What may be decided about a held object now."""
    if served is None:
        return (Verdict.KEEP_OUT, Verdict.ACCEPT)
    same = (served.kept.study_uid, served.kept.series_uid) == (held.study_uid, held.series_uid)
    return (Verdict.KEEP, Verdict.REPLACE) if same else (Verdict.KEEP,)


def check_words(who: str, why: str) -> tuple[str, str]:
    """Both on one line, without what cannot be printed. Raises BadRequest without a name, or when they are too long."""
    who, why = (" ".join("".join(c if c.isprintable() else " " for c in text).split()) for text in (who, why))
    if not who:
        raise errors.BadRequest("nobody is named", hint="say who decides")
    if len(who) > NAME_CHARACTERS_MAX or len(why) > WHY_CHARACTERS_MAX:
        raise errors.BadRequest(
            f"a name has at most {NAME_CHARACTERS_MAX} characters, a reason {WHY_CHARACTERS_MAX}", hint="shorten it"
        )
    return who, why
