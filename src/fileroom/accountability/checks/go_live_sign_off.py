"""Question 6: go-live sign-off."""

from __future__ import annotations

from fileroom.accountability.clauses import TRAINING
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "go-live-sign-off",
    6,
    "go-live sign-off",
    "a named person signed for each wave",
    Role.DOWNTIME,
    TRAINING,
)
