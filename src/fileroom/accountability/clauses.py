"""The clauses that checks support, and what each is in law. A check supports a clause; nobody complies by it alone."""

from __future__ import annotations

from fileroom.evidence.check import Clause, Legal

_HIPAA, _RULE_2025 = "HIPAA Security Rule", "HIPAA Security Rule, proposed 2025"
_PHIPA, _CSF, _CCM, _ISO = "Ontario PHIPA", "NIST CSF 2.0", "CSA CCM v4", "ISO 27001"


def _hipaa(clause: str) -> Clause:
    return Clause(_HIPAA, f"45 CFR {clause}", Legal.BINDING)


def _voluntary(framework: str, clause: str) -> Clause:
    return Clause(framework, clause, Legal.VOLUNTARY)


RISK = (_hipaa("164.308(a)(1)(ii)(A)"), _voluntary(_CSF, "ID.RA"), _voluntary(_CCM, "GRC-02"))
INVENTORY = (
    Clause(_RULE_2025, "technology asset inventory and network map", Legal.PROPOSED),
    _voluntary(_CSF, "ID.AM"),
    _voluntary(_CCM, "DSP-03"),
    _voluntary(_ISO, "A.5.9"),
)
INTEGRITY = (_hipaa("164.312(c)(1)"), _voluntary(_CSF, "PR.DS"), _voluntary(_ISO, "A.8.13"))
ACCESS = (
    _hipaa("164.308(a)(4)(ii)(C)"),
    _voluntary(_CSF, "PR.AA"),
    _voluntary(_CCM, "IAM-08"),
    _voluntary(_ISO, "A.5.18"),
)
SECOND_FACTOR = (
    _hipaa("164.312(d)"),
    Clause(_RULE_2025, "multi-factor authentication", Legal.PROPOSED),
    _voluntary(_CCM, "IAM-14"),
    _voluntary(_ISO, "A.8.5"),
)
LEAVERS = (_hipaa("164.308(a)(3)(ii)(C)"), _voluntary(_CCM, "IAM-07"), _voluntary(_ISO, "A.5.18"))
AUDIT = (
    _hipaa("164.312(b)"),
    Clause(_PHIPA, "s.10.1", Legal.PROPOSED),
    _voluntary(_CCM, "LOG-02"),
    _voluntary(_ISO, "A.8.15"),
)
_ENCRYPTION = (
    Clause(_RULE_2025, "encryption in transit and at rest", Legal.PROPOSED),
    _voluntary(_CCM, "CEK-03"),
    _voluntary(_ISO, "A.8.24"),
)
TRANSPORT = (_hipaa("164.312(e)(1)"), *_ENCRYPTION)
AT_REST = (_hipaa("164.312(a)(2)(iv)"), *_ENCRYPTION)
SOFTWARE = (_voluntary(_CSF, "ID.AM-02"), _voluntary(_CCM, "TVM-05"), _voluntary(_ISO, "A.8.8"))
SUPPLIER = (_hipaa("164.308(b)(1)"), _voluntary(_CSF, "GV.SC"), _voluntary(_CCM, "STA-08"), _voluntary(_ISO, "A.5.22"))
BACKUP = (
    _hipaa("164.308(a)(7)(ii)(A)"),
    _voluntary(_CSF, "PR.DS-11"),
    _voluntary(_CCM, "BCR-08"),
    _voluntary(_ISO, "A.8.13"),
)
RECOVERY = (
    _hipaa("164.308(a)(7)(ii)(D)"),
    Clause(_RULE_2025, "restoration within 72 hours", Legal.PROPOSED),
    _voluntary(_CSF, "RC.RP"),
    _voluntary(_CCM, "BCR-10"),
)
AVAILABILITY = (_voluntary(_CSF, "PR.IR-04"), _voluntary(_CCM, "BCR-02"), _voluntary(_ISO, "A.8.14"))
INCIDENT = (_hipaa("164.308(a)(6)(ii)"), _voluntary(_CSF, "RS.MA"), _voluntary(_CCM, "SEF-03"))
DOWNTIME = (_hipaa("164.308(a)(7)(ii)(C)"), _voluntary(_CCM, "BCR-03"), _voluntary(_ISO, "A.5.30"))
TRAINING = (_hipaa("164.308(a)(5)(i)"), _voluntary(_CSF, "PR.AT"), _voluntary(_ISO, "A.6.3"))
LEAVING = (_voluntary(_CCM, "IPY-04"), _voluntary(_ISO, "A.5.23"))
DELETION = (_hipaa("164.310(d)(2)(i)"), _voluntary(_CCM, "DSP-02"), _voluntary(_ISO, "A.8.10"))
