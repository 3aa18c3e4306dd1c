"""Question 3: incident-response commitment."""

from __future__ import annotations

from fileroom.accountability.clauses import INCIDENT
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "incident-commitment",
    3,
    "incident-response commitment",
    "a commitment says how fast incidents are answered",
    Role.PRIVACY,
    INCIDENT,
)
