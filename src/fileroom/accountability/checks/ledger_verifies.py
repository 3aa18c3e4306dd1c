"""Question 3: ledger as it was written."""

from __future__ import annotations

from fileroom.accountability.clauses import AUDIT
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="ledger-verifies",
    question=3,
    title="ledger as it was written",
    claim="the ledger agrees with a checkpoint kept on another machine or disk",
    observes="every line of the ledger hashed anew and held against the signed checkpoints",
    passes_when="it holds lines, nothing was changed, and a signed checkpoint kept elsewhere agrees",
    fresh_for_seconds=DAY,
    owner=Role.PRIVACY,
    clauses=AUDIT,
    source=Source.MEASURED,
    judge=all_of(
        at_least("lines", 1, "the ledger holds no line"),
        none("findings", "{} things are wrong with it: fileroom audit verify"),
        at_least(
            "elsewhere",
            1,
            "no agreeing checkpoint is kept elsewhere: set ledger_checkpoints, then fileroom audit checkpoint",
        ),
    ),
)

PASSES: Facts = {"lines": 9, "findings": 0, "elsewhere": 1}
FAILS: Facts = {"lines": 9, "findings": 1, "elsewhere": 1}
