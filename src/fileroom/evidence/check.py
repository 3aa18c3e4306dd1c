"""A check as data: what is observed, when that passes, how long it counts, who answers for it, what it supports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

HOUR = 3600  # seconds
DAY = 24 * HOUR
MONTH = 30 * DAY
YEAR = 365 * DAY

Value = str | int | bool | None | Sequence["Value"] | Mapping[str, "Value"]
Facts = Mapping[str, Value]  # what was seen: counts, times, words. Never a patient's


class Status(StrEnum):
    """What a check says now."""

    PASS = "pass"
    FAIL = "fail"
    STALE = "stale"  # it passed or failed, too long ago
    NOT_EVALUATED = "not evaluated"  # never seen, not to be seen, or evidence that cannot be relied on
    WAIVED = "waived"  # a person took it upon themselves, until a day


class Grade(StrEnum):
    """How good the source is, the best first."""

    PROBED = "probed independently"
    MEASURED = "measured by the system"
    THIRD_PARTY = "third-party report"
    VENDOR = "vendor's statement"
    OWN = "own statement"


class Legal(StrEnum):
    """What a clause is in law."""

    BINDING = "binding"
    PROPOSED = "proposed"  # published, not in force
    VOLUNTARY = "voluntary"


class Source(StrEnum):
    """Where the facts come from."""

    MEASURED = "measured"
    DOCUMENTED = "documented"


class Role(StrEnum):
    """Who answers for a check. Which person that is, the responsibility map says."""

    SYSTEM = "system-owner"
    DATA = "data-owner"
    ACCESS = "access-review-owner"
    BACKUP = "backup-and-recovery-owner"
    SUPPORT = "support-path"
    EVIDENCE = "vendor-evidence-reviewer"
    DOWNTIME = "downtime-lead"
    EXIT = "exit-owner"
    PRIVACY = "privacy-and-security-official"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that a passing check supports. It never says that anybody complies."""

    framework: str
    clause: str
    legal: Legal

    @property
    def text(self) -> str:
        """As it is shown."""
        return f"supports {self.framework} {self.clause} ({self.legal})"


class Judgement(NamedTuple):
    """What a judge says of facts."""

    passed: bool
    why: str = ""  # why not


class Incomplete(ValueError):
    """Facts that do not say what the judge has to know: neither a pass nor a failure."""


Judge = Callable[[Facts], Judgement]  # pure; raises Incomplete


@dataclass(frozen=True, slots=True)
class Check:
    """One of the things that answer the seven questions."""

    id: str  # stable; words joined by hyphens
    question: int  # 1 to 7
    title: str  # what it is called
    claim: str  # the sentence that may be said when it passes, without a full stop
    observes: str
    passes_when: str
    fresh_for_seconds: int
    owner: Role
    clauses: tuple[Clause, ...]
    source: Source
    judge: Judge
    waits_for: str = ""  # why nothing can be observed yet; empty: `fileroom check run` observes it
