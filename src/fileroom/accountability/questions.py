"""The seven questions, and which checks answer each. Fixed here, so that a check that is taken away leaves a hole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One of the seven."""

    number: int
    title: str
    checks: tuple[str, ...]  # identities, in the order they are told


QUESTIONS = (
    Question(
        1,
        "What data is moving?",
        (
            "index-and-packs",
            "migration-manifest",
            "declared-flows",
            "storage-regions",
            "scope-statement",
            "privacy-assessment",
        ),
    ),
    Question(
        2,
        "Who owns access control?",
        (
            "population",
            "second-factor",
            "access-review",
            "dormant-accounts",
            "leavers",
            "break-glass",
            "role-definitions",
        ),
    ),
    Question(
        3,
        "What security evidence is available?",
        (
            "audit-canary",
            "ledger-verifies",
            "tls-probe",
            "at-rest",
            "software-list",
            "audit-review",
            "soc2-report",
            "penetration-test",
            "mds2",
            "security-questionnaire",
            "incident-commitment",
            "agreement",
        ),
    ),
    Question(
        4,
        "What uptime and recovery commitments are written down?",
        (
            "journeys",
            "objective-and-contract",
            "newest-backup",
            "restore-drill",
            "backup-deletion-refused",
            "scrub",
            "room-left",
            "sla-clause",
            "recovery-plan",
        ),
    ),
    Question(
        5,
        "Where does support responsibility begin and end?",
        (
            "one-owner",
            "test-call",
            "vendor-sessions",
            "incident-routing",
            "support-schedule",
        ),
    ),
    Question(
        6,
        "How will the change affect daily care?",
        (
            "speed-against-before",
            "downtime-pack",
            "downtime-drill",
            "training-first",
            "unmatched-queue",
            "go-live-sign-off",
        ),
    ),
    Question(
        7,
        "How can the organisation leave later?",
        (
            "exit-drill",
            "exit-time",
            "own-credentials",
            "deletion-proven",
            "exit-format-term",
            "exit-duration-term",
            "exit-scope-term",
            "exit-deletion-term",
        ),
    ),
)
