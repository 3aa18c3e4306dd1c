"""What the doors tell the ledger: looks, searches, transfers, storing. Knows whose a study is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from fileroom import errors
from fileroom.archive.whose import patient_ids
from fileroom.audit.actor import Actor, now_ms
from fileroom.audit.book import Book
from fileroom.audit.event import Event, Kind, Outcome
from fileroom.audit.looks import new_act
from fileroom.audit.storing import Storing
from fileroom.database import Database

T = TypeVar("T")


class Transfer:
    """Objects going out, told by study: begun, durable before the first of them leaves, and how it ended."""

    def __init__(self, book: Book, begun: list[Event]) -> None:
        self._book = book
        self._begun = begun
        book.journal.record(begun)

    def end(self, sent: Mapping[str, int], why: str = "") -> None:
        """`sent`: objects that are with the receiver, by study. `why`: what kept the rest."""
        self._book.journal.later(
            [
                line._replace(
                    at_ms=now_ms(),
                    outcome=Outcome.FAILED if why else Outcome.DONE,
                    objects=sent.get(line.study_uid),
                    why=why,
                )
                for line in self._begun
            ]
        )

    def sending(self, parts: Iterable[T]) -> Iterator[T]:
        """The parts of an answer; that it ended is told when they are through, or when the receiver is gone."""
        made, whole = iter(parts), False
        try:
            yield from made
            whole = True
        finally:
            self.end({}, "" if whole else "it broke off")
            if (close := getattr(made, "close", None)) is not None:
                close()


class Telling:
    """Tells one process's ledger. Thread-safe."""

    def __init__(self, book: Book, database: Database) -> None:
        self._book = book
        self._database = database

    def storing(self, actor: Actor, detail: str = "") -> Storing:
        """For the source of what one association, request or import stores; `end` it."""
        return Storing(self._book.journal, actor, detail)

    def looked(self, actor: Actor, kind: Kind, study_uid: str, what: str) -> None:
        """Something of a study is about to be shown; returns once its line is durable. `what`: in the plural."""

        def begin() -> Event:
            return self._event(actor, kind, self._patients([study_uid]).get(study_uid, ""), study_uid)

        self._book.looks.seen((actor, study_uid), what, begin)

    def searched(self, actor: Actor, key: Hashable, asked: Callable[[], str], what: str = "answers") -> None:
        """The answer to a question is about to be given; the same one again, by its `key`, is counted."""
        self._book.looks.seen((actor, key), what, lambda: self._event(actor, Kind.SEARCH, detail=asked()))

    def refused(self, actor: Actor, kind: Kind, why: str) -> None:
        """Somebody was turned away; again and again is one line and a count."""

        def begin() -> Event:
            return self._event(actor, kind)._replace(outcome=Outcome.REFUSED, why=why)

        key: Hashable = (actor, kind, why)
        self._book.looks.seen(key, "refusals", begin)

    def transfer(self, actor: Actor, kind: Kind, study_uids: Iterable[str], detail: str = "") -> Transfer:
        """Objects of these studies are about to go out."""
        uids = list(dict.fromkeys(study_uids))
        patients, act = self._patients(uids), new_act()
        begun = [self._event(actor, kind, patients.get(uid, ""), uid, detail) for uid in uids]
        return Transfer(self._book, [line._replace(act=act) for line in begun])

    def began(self, actor: Actor, kind: Kind, detail: str, study_uid: str = "") -> Transfer:
        """Something is about to be done that is about no study, or changes one."""
        if study_uid:
            return self.transfer(actor, kind, [study_uid], detail)
        line = self._event(actor, kind, detail=detail)
        return Transfer(self._book, [line._replace(act=new_act())])

    def _patients(self, study_uids: list[str]) -> dict[str, str]:
        try:
            with self._database.read() as connection:
                return patient_ids(connection, study_uids)
        except errors.FileroomError:
            return {}  # the study UID tells whose it was

    def _event(self, actor: Actor, kind: Kind, patient_id: str = "", study_uid: str = "", detail: str = "") -> Event:
        who, via, where = actor
        return Event(
            kind,
            now_ms(),
            who,
            via,
            where=where,
            patient_id=patient_id,
            study_uid=study_uid,
            outcome=Outcome.BEGUN,
            detail=detail,
        )
