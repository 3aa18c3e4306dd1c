"""One sender's storing, told by study: the first object's line commits with the index, so that whatever is acknowledged
is told; how many there were is told at the end. Objects that follow the first cost a look into a set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fileroom.audit.actor import Actor, now_ms
from fileroom.audit.event import Event, Kind, Outcome, written
from fileroom.audit.journal import Journal
from fileroom.audit.looks import new_act


class Storing:
    """One association, request or import. Handed over by one thread; `line` and `told` are the index thread's.

    A study whose line of the end is missing was interrupted; one of a single object is told by the act's line of the
    end, when that names no study.
    """

    __slots__ = ("_act", "_actor", "_counts", "_journal", "_patients", "_told", "detail", "refused")

    def __init__(self, journal: Journal, actor: Actor, detail: str = "") -> None:
        self._journal = journal
        self._actor = actor
        self._act = new_act()
        self._told: set[str] = set()  # studies
        self._counts: Counter[str] = Counter()
        self._patients: dict[str, str] = {}
        self.detail = detail
        self.refused = 0  # objects that were not taken

    def is_told(self, study_uid: str) -> bool:
        """Whether the ledger has a line that something of this study is stored."""
        return study_uid in self._told

    def line(self, study_uid: str, patient_id: str) -> bytes:
        """The line that something of a study is stored."""
        return written(self._event(study_uid, patient_id, Outcome.BEGUN)).data

    def told(self, study_uid: str) -> None:
        """That line is durable."""
        self._told.add(study_uid)

    def kept(self, study_uid: str, patient_id: str) -> None:
        """An object is about to be acknowledged. Writes the study's line unless the index did: it had nothing to do."""
        if study_uid not in self._told:
            self._journal.record([self._event(study_uid, patient_id, Outcome.BEGUN)])
            self._told.add(study_uid)
        if study_uid not in self._patients:
            self._patients[study_uid] = patient_id
        self._counts[study_uid] += 1

    def end(self) -> None:
        """Say what it came to; within moments in the ledger."""
        self._journal.later(self._closing())

    def _closing(self) -> Sequence[Event]:
        counts, patients = self._counts, self._patients
        why = f"{self.refused} objects were refused" if self.refused else ""
        if not counts:
            failed = self._event("", "", Outcome.FAILED)._replace(objects=0, why=why, act="")
            return [failed] if self.refused else []
        told = [uid for uid, count in counts.items() if count > 1 or len(counts) == 1]
        lines = [self._event(uid, patients[uid], Outcome.DONE)._replace(objects=counts[uid]) for uid in told]
        if single := len(counts) - len(told):
            detail = "; ".join(text for text in (self.detail, f"{single} studies of one object each") if text)
            lines.append(self._event("", "", Outcome.DONE)._replace(objects=single, detail=detail))
        lines[-1] = lines[-1]._replace(why=why)
        return lines

    def _event(self, study_uid: str, patient_id: str, outcome: Outcome) -> Event:
        who, via, where = self._actor
        return Event(
            Kind.STORE,
            now_ms(),
            who,
            via,
            where=where,
            patient_id=patient_id,
            study_uid=study_uid,
            outcome=outcome,
            detail=self.detail,
            act=self._act,
        )
