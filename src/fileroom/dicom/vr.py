"""Value representations, by how long their length field is in explicit VR (PS3.5 7.1.2)."""

from __future__ import annotations

SHORT_VRS: frozenset[str] = frozenset(
    [
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FD",
        "FL",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "SL",
        "SS",
        "ST",
        "TM",
        "UI",
        "UL",
        "US",
    ]
)
"""16 bits of length behind the VR."""

LONG_VRS: frozenset[str] = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
"""Two reserved bytes behind the VR, then 32 bits of length."""

FRAGMENT_VRS: frozenset[str] = frozenset(["OB", "OD", "OF", "OL", "OV", "OW"])
"""Of undefined length these hold fragments (PS3.5 A.4), not items."""
