"""A rule that forwards what arrives: what it asks for, whether it can be one, and what it applies to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fileroom.archive.peers import check_ae_title
from fileroom.errors import BadRequest

NAME_CHARACTERS_MAX = 48
TEXT_CHARACTERS_MAX = 64
LIST_MAX = 32

_MODALITY = re.compile(r"[A-Z0-9 _]{1,16}")  # CS (PS3.5 6.2)


class BadRule(BadRequest):
    """A rule that cannot be one. `problems`: field to what is wrong with it, in words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks of a rule. Conditions that are empty ask for nothing; all others must hold."""

    name: str
    destination: str  # AE title of a known peer
    modalities: tuple[str, ...] = ()  # any of these
    sources: tuple[str, ...] = ()  # calling AE title, any of these
    station: str = ""  # contained in the station name, as the other texts without regard to case
    institution: str = ""  # contained in the institution name
    description: str = ""  # contained in a description of study or series, the protocol name or the body part


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it is kept."""

    id: int
    wanted: Wanted
    enabled: bool
    since: int  # it is for objects whose key is larger: those that came after it was made, or enabled
    created_ms: int  # since 1970 UTC
    changed_ms: int
    sends: int  # that it queued so far, alone or together with other rules
    last_send_ms: int | None  # when it queued the last of them


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What rules look at of a series. Holds no name, but free text: not for logs."""

    modality: str | None
    station_name: str | None
    institution_name: str | None
    study_description: str | None
    series_description: str | None
    protocol_name: str | None
    body_part: str | None


def checked(wanted: Wanted, known: frozenset[str]) -> Wanted:
    """The same, tidied: without spaces around, modalities in capitals, nothing twice. `known`: AE titles of peers.

    Raises BadRule with everything that is wrong.
    """
    problems: dict[str, str] = {}

    def text(field: str, value: str, longest: int) -> str:
        tidy = " ".join(value.split())
        if len(tidy) > longest or not tidy.isprintable():
            problems[field] = f"{field}: at most {longest} printable characters"
        return tidy

    name = text("name", wanted.name, NAME_CHARACTERS_MAX)
    if not name:
        problems["name"] = "name: a rule needs one, such as `CT to workstation`"
    destination = wanted.destination.strip()
    if destination not in known:
        problems["destination"] = "destination: there is no peer of that AE title; `fileroom peer add` makes it known"
    modalities = tuple(dict.fromkeys(word.strip().upper() for word in wanted.modalities if word.strip()))
    if len(modalities) > LIST_MAX or not all(map(_MODALITY.fullmatch, modalities)):
        problems["modalities"] = f"modalities: at most {LIST_MAX} codes such as CT or MG, of capitals and digits"
    sources = _titles(wanted.sources, problems)
    if sources == (destination,):
        problems["sources"] = "sources: nothing is ever sent back to the peer it came from, so this rule sends nothing"
    tidied = Wanted(
        name,
        destination,
        modalities,
        sources,
        text("station", wanted.station, TEXT_CHARACTERS_MAX),
        text("institution", wanted.institution, TEXT_CHARACTERS_MAX),
        text("description", wanted.description, TEXT_CHARACTERS_MAX),
    )
    if problems:
        raise BadRule(problems)
    return tidied


def _titles(sources: tuple[str, ...], problems: dict[str, str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for word in sources:
        if not word.strip():
            continue
        try:
            found[check_ae_title(word)] = None
        except BadRequest as error:
            problems["sources"] = f"sources: {error}"
    if len(found) > LIST_MAX:
        problems["sources"] = f"sources: at most {LIST_MAX} AE titles"
    return tuple(found)


DEMONSTRATION = "demo:demonstration"  # the source of people who do not exist: no peer is sent them by a rule


def source_label(ae_title: str) -> str:
    """How the index writes down that an object came by C-STORE from this caller."""
    return f"dimse:{ae_title}"


def applies_to_series(wanted: Wanted, facts: SeriesFacts) -> bool:
    """Whether a series is one a rule asks for, whoever it came from."""
    if wanted.modalities and (facts.modality or "").strip().upper() not in wanted.modalities:
        return False
    told = (facts.study_description, facts.series_description, facts.protocol_name, facts.body_part)
    return (
        _contains(wanted.station, facts.station_name)
        and _contains(wanted.institution, facts.institution_name)
        and _contains(wanted.description, *told)
    )


def applies_to_source(wanted: Wanted, source: str) -> bool:
    """Whether an object that came from there may go: never back to its sender, never the demonstration's, and from the
    callers asked for."""
    if source in (source_label(wanted.destination), DEMONSTRATION):
        return False
    return not wanted.sources or source in {source_label(title) for title in wanted.sources}


def _contains(part: str, *texts: str | None) -> bool:
    wanted = part.casefold()
    return not wanted or any(wanted in " ".join(text.split()).casefold() for text in texts if text)


def in_words(wanted: Wanted) -> str:
    """The conditions, as a person says them."""
    said = []
    if wanted.modalities:
        said.append(f"modality {' or '.join(wanted.modalities)}")
    if wanted.sources:
        said.append(f"from {' or '.join(wanted.sources)}")
    for what, text in (("station", wanted.station), ("institution", wanted.institution)):
        if text:
            said.append(f"{what} contains '{text}'")
    if wanted.description:
        said.append(f"description or body part contains '{wanted.description}'")
    return ", ".join(said) or "everything"
