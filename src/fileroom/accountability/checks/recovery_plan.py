"""Question 4: recovery plan."""

from __future__ import annotations

from fileroom.accountability.clauses import RECOVERY
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "recovery-plan",
    4,
    "recovery plan",
    "a recovery plan is written down",
    Role.BACKUP,
    RECOVERY,
)
