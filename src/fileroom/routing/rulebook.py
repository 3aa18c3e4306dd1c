"""The record of rules that forward, and a rule applied by hand to what is here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fileroom import errors
from fileroom.archive import schema as archive
from fileroom.archive.peers import Peers
from fileroom.archive.retrieve import ORDER
from fileroom.audit.actor import UNNAMED
from fileroom.audit.event import Event, Kind
from fileroom.audit.outbox import put
from fileroom.database import Database, Ids
from fileroom.routing import schema
from fileroom.routing.rules import (
    DEMONSTRATION,
    BadRule,
    Rule,
    SeriesFacts,
    Wanted,
    applies_to_series,
    checked,
    in_words,
    source_label,
)
from fileroom.routing.sends import Sends, now_ms

APPLIED_OBJECTS_MAX = 1_000_000  # by hand, at one time

_R = schema.forward_rule.c
_I, _E, _S = archive.instance.c, archive.series.c, archive.study.c
FACTS = (
    _E.modality,
    _E.station_name,
    _E.institution_name,
    _S.study_description,
    _E.series_description,
    _E.protocol_name,
    _E.body_part,
)


@dataclass(frozen=True, slots=True)
class Matching:
    """What is here that a rule asks for."""

    studies: int
    series: int
    objects: int
    size_bytes: int


class Rulebook:
    """The rules. Thread-safe; any process may ask and change, and a change counts for what arrives from then on.

    Every method raises DatabaseUnavailable; those that change return once durable and raise StorageFull.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._peers = Peers(database)
        self._sends = Sends(database)
        self._ids = Ids()

    def all(self) -> list[Rule]:
        """Every rule, by name."""
        with self._database.read() as connection:
            return [_rule(row) for row in connection.execute(sa.select(schema.forward_rule).order_by(_R.name))]

    def get(self, key: int) -> Rule:
        """One rule. Raises NotFound."""
        return self._one(_R.id == key)

    def named(self, name: str) -> Rule:
        """The rule of this name. Raises NotFound."""
        return self._one(_R.name == " ".join(name.split()))

    def _one(self, which: sa.ColumnElement[bool]) -> Rule:
        with self._database.read() as connection:
            row = connection.execute(sa.select(schema.forward_rule).where(which)).one_or_none()
        if row is None:
            raise errors.NotFound("there is no such rule", hint="fileroom forward list")
        return _rule(row)

    def add(self, wanted: Wanted, *, enabled: bool = True, by: str = UNNAMED) -> Rule:
        """Make a rule for what arrives from now on. Raises BadRule with everything that is wrong with it."""
        tidy, now, key = self._checked(wanted), now_ms(), self._ids.next()
        with _named_once(tidy.name), self._database.write() as connection:
            row = {"id": key, "enabled": enabled, "since": _newest(connection), "created_ms": now, "changed_ms": now}
            connection.execute(sa.insert(schema.forward_rule), [row | _columns(tidy) | {"sends": 0}])
            _tell(connection, by, f"{_said(tidy)}{'' if enabled else '; stopped'}")
        return self.get(key)

    def change(self, key: int, wanted: Wanted, *, seen_ms: int | None = None, by: str = UNNAMED) -> Rule:
        """Ask for something else: what has not had its turn yet goes by it, nothing older is sent.

        `seen_ms`: when the rule was last changed, as whoever changes it saw it; Superseded when that is no longer so.
        Raises as `add` does, and NotFound.
        """
        tidy = self._checked(wanted)
        changes = _columns(tidy) | {"changed_ms": now_ms()}
        query = sa.update(schema.forward_rule).where(_R.id == key).values(changes)
        if seen_ms is not None:
            query = query.where(_R.changed_ms == seen_ms)
        with _named_once(tidy.name), self._database.write() as connection:
            changed = connection.execute(query).rowcount
            if changed:
                _tell(connection, by, _said(tidy))
        rule = self.get(key)
        if not changed:
            raise errors.Superseded("somebody else changed this rule meanwhile", hint="what it asks for is below")
        return rule

    def enable(self, key: int, by: str = UNNAMED) -> Rule:
        """Forward what arrives from now on. Nothing changes when it is enabled already. Raises NotFound."""
        with self._database.write() as connection:
            changes = {"enabled": True, "since": _newest(connection), "changed_ms": now_ms()}
            query = sa.update(schema.forward_rule).where(_R.id == key, _R.enabled.is_(False))
            if connection.execute(query.values(changes)).rowcount:
                _tell(connection, by, f"{_named(connection, key)} was started")
        return self.get(key)

    def disable(self, key: int, by: str = UNNAMED) -> Rule:
        """Forward nothing more by it; what is queued is still sent. Raises NotFound."""
        with self._database.write() as connection:
            query = sa.update(schema.forward_rule).where(_R.id == key)
            if not connection.execute(query.values(enabled=False, changed_ms=now_ms())).rowcount:
                raise errors.NotFound("there is no such rule", hint="fileroom forward list")
            _tell(connection, by, f"{_named(connection, key)} was stopped")
        return self.get(key)

    def remove(self, key: int, by: str = UNNAMED) -> None:
        """Forget the rule; what is queued is still sent. Raises NotFound."""
        with self._database.write() as connection:
            name = _named(connection, key)
            if not connection.execute(sa.delete(schema.forward_rule).where(_R.id == key)).rowcount:
                raise errors.NotFound("there is no such rule", hint="fileroom forward list")
            _tell(connection, by, f"{name} was removed")

    def matching(self, key: int) -> Matching:
        """What is here that the rule asks for: what `apply` would send. Raises NotFound."""
        found = list(self._matching(self.get(key).wanted))
        studies = {study_uid for study_uid, *_ in found}
        return Matching(len(studies), len(found), sum(one[2] for one in found), sum(one[3] for one in found))

    def apply(self, key: int, requested_by: str) -> Matching:
        """Send what is here that the rule asks for, whether it was sent before or not; what was found to be sent.

        Each study is queued whole or not at all. Raises NotFound, BadRequest over a million objects.
        """
        wanted, matching = self.get(key).wanted, self.matching(key)
        if matching.objects > APPLIED_OBJECTS_MAX:
            raise errors.BadRequest(
                f"{matching.objects} objects are more than the {APPLIED_OBJECTS_MAX} that are queued at one time",
                hint="narrow the rule, by modality, source, station or description",
            )
        studies: dict[str, list[int]] = {}
        for study_uid, series_key, *_ in self._matching(wanted):
            studies.setdefault(study_uid, []).append(series_key)
        for study_uid, series_keys in studies.items():
            query = (
                sa.select(_I.sop_uid).select_from(archive.IN_STUDIES).where(_E.id.in_(series_keys), _of_sources(wanted))
            )
            with self._database.write() as connection:
                sop_uids = list(connection.execute(query.order_by(*ORDER)).scalars())
                if sop_uids:
                    self._sends.queue(connection, study_uid, wanted.destination, requested_by, sop_uids)
        return matching

    def _matching(self, wanted: Wanted) -> Iterator[tuple[str, int, int, int]]:
        """Study UID, series key, objects and bytes of every series."""
        query = (
            sa.select(_S.study_uid, _E.id, sa.func.count(), sa.func.sum(_I.size_bytes), *FACTS)
            .select_from(archive.IN_STUDIES)
            .where(_S.hidden.is_(False), _of_sources(wanted))
            .group_by(_S.study_uid, _E.id, *FACTS)
            .order_by(_E.id)
        )
        if wanted.modalities:
            query = query.where(sa.func.upper(sa.func.trim(_E.modality)).in_(wanted.modalities))
        with self._database.read() as connection:
            for study_uid, series_key, count, size, *facts in connection.execute(query):
                if applies_to_series(wanted, SeriesFacts(*facts)):
                    yield study_uid, series_key, count, int(size)

    def _checked(self, wanted: Wanted) -> Wanted:
        return checked(wanted, frozenset(peer.ae_title for peer in self._peers.all()))


@contextmanager
def _named_once(name: str) -> Iterator[None]:
    """Turns the database's refusal of a second row of the same name into words."""
    try:
        yield
    except IntegrityError as error:
        raise BadRule({"name": f"name: there is a rule `{name}` already"}) from error


def enabled_rules(connection: sa.Connection) -> list[Rule]:
    """The rules that count now."""
    query = sa.select(schema.forward_rule).where(_R.enabled.is_(True)).order_by(_R.name)
    return [_rule(row) for row in connection.execute(query)]


def note_sends(connection: sa.Connection, names: Collection[str]) -> None:
    """Write down that a send was queued for these rules."""
    query = sa.update(schema.forward_rule).where(_R.name.in_(names))
    connection.execute(query.values(sends=_R.sends + 1, last_send_ms=now_ms()))


def _of_sources(wanted: Wanted) -> sa.ColumnElement[bool]:
    """What `rules.applies_to_source` says, for the database."""
    allowed = _I.source.not_in([source_label(wanted.destination), DEMONSTRATION])
    if wanted.sources:
        return sa.and_(allowed, _I.source.in_([source_label(title) for title in wanted.sources]))
    return allowed


def _newest(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(_I.id), 0))).scalar_one())


def _columns(wanted: Wanted) -> dict[str, object]:
    return {
        "name": wanted.name,
        "destination": wanted.destination,
        "modalities": "\\".join(wanted.modalities),
        "sources": "\\".join(wanted.sources),
        "station": wanted.station,
        "institution": wanted.institution,
        "description": wanted.description,
    }


def _rule(row: sa.Row[Any]) -> Rule:
    v = row._mapping
    modalities, sources = (tuple(v[name].split("\\")) if v[name] else () for name in ("modalities", "sources"))
    wanted = Wanted(v["name"], v["destination"], modalities, sources, v["station"], v["institution"], v["description"])
    rest = ("enabled", "since", "created_ms", "changed_ms", "sends", "last_send_ms")
    return Rule(v["id"], wanted, *(v[name] for name in rest))


def _tell(connection: sa.Connection, who: str, detail: str) -> None:
    put(connection, [Event(Kind.SETTING, now_ms(), who, detail=detail)])


def _said(wanted: Wanted) -> str:
    return f"rule `{wanted.name}` sends to {wanted.destination}: {in_words(wanted)}"


def _named(connection: sa.Connection, key: int) -> str:
    name = connection.execute(sa.select(_R.name).where(_R.id == key)).scalar()
    return f"rule `{name}`"
