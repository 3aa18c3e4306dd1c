"""The words by which people look for studies: a shadow beside the index, made a moment after the study arrived.

A study's words come from its patient's name and ID, accession number, description and modalities. They are
looked up by their beginning, so that a list can be narrowed with every letter typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WORD_CHARACTERS_MAX = 64
_WORDS_MAX = 60  # of one study
_PIECES = re.compile(r"[^\W_]+")
_DATE = re.compile(r"((?:19|20)[0-9]{2})(?:-([0-9]{2})(?:-([0-9]{2}))?|([0-9]{2})([0-9]{2}))?").fullmatch
_ENDS = ".,;:!?()[]{}\"'^=\\/<>"


def folded(text: str) -> str:
    """The text without case and accents, so that muller finds Müller."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def words_of(names: Iterable[str | None], texts: Iterable[str | None], modalities: Iterable[str]) -> set[str]:
    """The words of a study: of its person names (PN) and other texts; `modality_word` for each modality."""
    words: set[str] = set()
    for text in (*(re.sub(r"[\^=\\]", " ", name) for name in names if name), *(text for text in texts if text)):
        for token in folded(text).split():
            words.add(token.strip(_ENDS))
            words.update(_PIECES.findall(token))
    words.discard("")
    kept = sorted(word[:WORD_CHARACTERS_MAX] for word in words)[:_WORDS_MAX]
    return {
        *kept,
        *(modality_word(name) for name in modalities if name),
        *(folded(name) for name in modalities if name),
    }


def modality_word(modality: str) -> str:
    """What stands among a study's words for one of its modalities; nobody can type it."""
    return f"={modality}"


def asked_words(text: str) -> list[str]:
    """The beginnings of words that a typed text asks for, the longest first; at most eight."""
    tokens = {token.strip(_ENDS)[:WORD_CHARACTERS_MAX] for token in folded(text).split()} - {""}
    return sorted(tokens, key=lambda word: (-len(word), word))[:8]


def asked_dates(word: str) -> tuple[str, str] | None:
    """First and last study date (DA) that a word may mean: 2023, 2023-10, 2023-10-07 or 20231007."""
    found = _DATE(word)
    if found is None:
        return None
    year, month, day = found[1], found[2] or found[4], found[3] or found[5]
    return f"{year}{month or '00'}{day or '00'}", f"{year}{month or '99'}{day or '99'}"
