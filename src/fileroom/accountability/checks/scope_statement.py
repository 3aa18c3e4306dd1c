"""Question 1: what moves and what does not."""

from __future__ import annotations

from fileroom.accountability.clauses import INVENTORY
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "scope-statement",
    1,
    "what moves and what does not",
    "a named person stated what moves and what does not",
    Role.DATA,
    INVENTORY,
)
