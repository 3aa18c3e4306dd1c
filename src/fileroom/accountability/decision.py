"""The decision record: approve, approve with conditions, or reject; and whether something may go live.

Decisions are added, never changed: the newest about a subject counts. One that accepts gaps names each, who answers for
it meanwhile, and until when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from fileroom.accountability import canonical, rows, versions
from fileroom.accountability.gaps import Gap, Kind, stamp
from fileroom.accountability.rows import Person, Role
from fileroom.accountability.versions import Acceptance, Version
from fileroom.errors import BadRequest, Forbidden

KEPT_YEARS = 6  # at least (45 CFR 164.316(b)(2)); nothing here deletes one
GAP_DAYS_MAX = 366
_DAY_MS = 24 * 3600 * 1000


class Verdict(StrEnum):
    """What was decided."""

    APPROVE = "approve"
    CONDITIONS = "approve-with-conditions"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to be done after an approval."""

    text: str
    owner: Person
    due_ms: int  # after it, a decision without this condition has to say that it is met


@dataclass(frozen=True, slots=True)
class AcceptedGap:
    """A gap that somebody lives with for a while."""

    key: str
    text: str  # what it said
    owner: Person  # answers for it meanwhile
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, about what, on what grounds."""

    subject: str  # what goes live: a site, a wave; empty: the whole system
    system: str  # empty: this one
    verdict: Verdict
    by: Person
    reviewed_by: Person  # the evidence
    why: str
    evidence_root: str  # SHA-256 of the evidence document's canonical form
    map_number: int
    map_digest: str
    release: str
    conditions: tuple[Condition, ...]
    gaps: tuple[AcceptedGap, ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class GoLive:
    """The answer to: may this go live?"""

    yes: bool
    reasons: tuple[str, ...]  # why not; or, when it may, what it rests on


def plain(decision: Decision) -> dict[str, object]:
    """The decision as JSON values."""
    told = asdict(decision) | {"verdict": decision.verdict.value}
    return told | {"conditions": list(told["conditions"]), "gaps": list(told["gaps"])}


def read(told: Mapping[str, object]) -> Decision:
    """The decision that `plain` told. Raises BadRequest."""
    try:
        values = dict(told)
        values["verdict"] = Verdict(str(told["verdict"]))
        for name in ("by", "reviewed_by"):
            values[name] = Person(**told[name])  # type: ignore[arg-type]  # a wrong one is a TypeError
        for name, kind in (("conditions", Condition), ("gaps", AcceptedGap)):
            values[name] = tuple(kind(**one | {"owner": Person(**one["owner"])}) for one in told[name])  # type: ignore[attr-defined]
        return Decision(**values)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("not a decision record") from error


def checked(
    decision: Decision, version: Version, acceptances: Iterable[Acceptance], open_gaps: Iterable[Gap]
) -> Decision:
    """The decision, when it may be recorded about that version.

    Raises BadRequest for one that says too little, Forbidden when one person would accept, review and approve.
    """
    if len(decision.evidence_root) != 64 or set(decision.evidence_root) - set("0123456789abcdef"):
        raise BadRequest("the evidence's root is 64 hexadecimal digits", hint="SHA-256 of the evidence document")
    rows.named(decision.by)
    rows.text(decision.why, "the reason")
    if (decision.verdict is Verdict.CONDITIONS) != bool(decision.conditions):
        raise BadRequest("conditions go with approve-with-conditions, and that verdict with conditions")
    for condition in decision.conditions:
        rows.named(condition.owner)
        rows.text(condition.text, "a condition")
        if condition.due_ms <= decision.at_ms:
            raise BadRequest("a condition is due before it is made")
    _check_gaps(decision, {gap.key: gap for gap in open_gaps})
    if decision.verdict is not Verdict.REJECT:
        _check_persons(decision, version, acceptances)
    return decision


def _check_gaps(decision: Decision, known: Mapping[str, Gap]) -> None:
    for gap in decision.gaps:
        rows.named(gap.owner)
        if gap.key not in known:
            raise BadRequest(f"no such gap is open: {gap.key}", hint="fileroom map show")
        if known[gap.key].kind in (Kind.ROLE_EMPTY, Kind.NOT_ACCEPTED):
            raise BadRequest(f"{known[gap.key].text}: nobody can accept that for them", hint=known[gap.key].closes)
        if not 0 < gap.expires_ms - decision.at_ms <= GAP_DAYS_MAX * _DAY_MS:
            raise BadRequest(f"an acceptance of a gap ends within {GAP_DAYS_MAX} days, and not before it begins")


def _check_persons(decision: Decision, version: Version, acceptances: Iterable[Acceptance]) -> None:
    """Who accepts, who reviews and who approves must not be one person."""
    reviewer = version.row(Role.EVIDENCE)
    if reviewer is None or not reviewer.person.same(decision.reviewed_by):
        raise Forbidden(
            "the evidence was not reviewed by the vendor-evidence reviewer on the map",
            hint="name one, who accepts the row",
        )
    if decision.by.same(decision.reviewed_by):
        raise Forbidden(
            f"{decision.by.name} reviewed the evidence, and cannot approve it too", hint="another person decides"
        )
    known = tuple(acceptances)
    signed = [versions.acceptance_of(row, known, decision.at_ms) for row in version.rows]
    accepted = [one.person for one in signed if one is not None]
    if accepted and all(decision.by.same(person) for person in accepted):
        raise Forbidden(
            f"{decision.by.name} alone accepted this map, and cannot approve it too", hint="another person decides"
        )


def may_go_live(
    decision: Decision | None,
    version: Version | None,
    open_gaps: Iterable[Gap],
    now_ms: int,
    subject: str = "",
) -> GoLive:
    """Whether it may go live now, with every reason that stands against it, not only the first.

    `version` is the map in force: complete, and accepted by everybody in it; None when there is none.
    """
    against = [] if version is not None else ["no map is in force: a role is empty, or somebody has not accepted"]
    if decision is None or decision.subject != subject or decision.at_ms > now_ms:
        return GoLive(False, (*against, "nobody has decided", *(gap.text for gap in open_gaps)))
    if decision.verdict is Verdict.REJECT:
        against.append(f"{decision.by.name} rejected it {stamp(decision.at_ms)}: {decision.why}")
    if version is not None and version.digest != decision.map_digest:
        against.append(f"the decision was made about version {decision.map_number} of the map, not {version.number}")
    against += [
        f"the condition was due {stamp(one.due_ms)}: {one.text} ({one.owner.name})"
        for one in decision.conditions
        if one.due_ms <= now_ms
    ]
    accepted = {gap.key: gap for gap in decision.gaps}
    for gap in open_gaps:
        known = accepted.get(gap.key)
        if known is None:
            against.append(gap.text)
        elif known.expires_ms <= now_ms:
            against.append(f"{gap.text} (accepted by {decision.by.name} until {stamp(known.expires_ms)})")
    if against:
        return GoLive(False, tuple(against))
    rests = [f"{decision.by.name}: {decision.verdict} {stamp(decision.at_ms)}"]
    rests += [f"until {stamp(one.due_ms)}: {one.text} ({one.owner.name})" for one in decision.conditions]
    rests += [
        f"accepted until {stamp(one.expires_ms)}, {one.owner.name} answers for it: {one.text}" for one in decision.gaps
    ]
    return GoLive(True, tuple(rests))


def root(evidence: object) -> str:
    """What a decision names of an evidence document. Raises NotCanonical."""
    return canonical.digest(evidence)
