"""Question 4: uptime clause."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "sla-clause",
    4,
    "uptime clause",
    "the contract states the uptime",
    Role.SYSTEM,
    SUPPLIER,
)
