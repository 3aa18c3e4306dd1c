"""Person names as they are compared: one folded form for what is stored and for what is asked (PS3.4 C.2.2.2.1)."""

from __future__ import annotations

import unicodedata

FOLDED_CHARACTERS_MAX = 512


def fold_name(text: str) -> str:
    """A PN value (or a key with wildcards) in the form `name_fold` columns hold.

    Case folded, composed (NFC), runs of space made one, no space around `^`, `=` and the backslash, no trailing `^`
    in a component group and no trailing empty groups. At most FOLDED_CHARACTERS_MAX characters.
    """
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())
    if " " in folded or not folded.isprintable():
        folded = " ".join(folded.split())
        for separator in "^=\\":
            folded = folded.replace(" " + separator, separator).replace(separator + " ", separator)
    if "^" in folded or "=" in folded:
        folded = "\\".join(_trimmed(value) for value in folded.split("\\"))
    return folded[:FOLDED_CHARACTERS_MAX]


def _trimmed(value: str) -> str:
    return "=".join(group.rstrip("^") for group in value.split("=")).rstrip("=")
