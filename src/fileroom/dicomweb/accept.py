"""What the asker accepts: Accept header and `accept` query argument, media types with q values (PS3.18 8.3.3, 8.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from fileroom import errors
from fileroom.dicomweb.multipart import media_type
from fileroom.web.http import Request

T = TypeVar("T")

_OFFERS_MAX = 64  # media ranges read of one Accept header
_RANGES = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')  # between commas that no quotes hold
_Q = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True, eq=False)  # compared and hashed by identity: equal headers give the very same ones
class Offer:
    """One media range the asker accepts."""

    kind: str  # lower case, such as "multipart/related", "image/*", "*/*"
    parameters: Mapping[str, str]  # names in lower case, without q
    q: float

    @property
    def inner(self) -> str:
        """The media type inside multipart/related, lower case; "" when it does not say."""
        return self.parameters.get("type", "").lower()

    @property
    def transfer_syntax(self) -> str:
        """ "", "*" or a UID."""
        return self.parameters.get("transfer-syntax", "")

    def takes(self, kind: str) -> bool:
        """Whether a plain media type falls into this range."""
        return self.kind in ("*/*", kind) or self.kind == kind.partition("/")[0] + "/*"


def offers(request: Request) -> Sequence[Offer]:
    """What the asker accepts, best first; equals in the order given. Everything, when nothing is said.

    The `accept` query argument, where it is given, stands in place of the header (PS3.18 8.3.3.1). Raises BadRequest
    when a media type does not parse, NotAcceptable when nothing is accepted.
    """
    header = request.headers.get("accept", "")
    if "accept=" in request.query:
        header = ",".join(value for name, value in request.args() if name.lower() == "accept") or header
    return _offers(header)


@lru_cache(maxsize=256)
def _offers(header: str) -> tuple[Offer, ...]:
    pieces = [found[0] for found in islice(_RANGES.finditer(header), _OFFERS_MAX) if found[0].strip()]
    if not pieces:
        return (Offer("*/*", {}, 1.0),)
    found = [offer for offer in map(_offer, pieces) if offer.q > 0]
    if not found:
        raise errors.NotAcceptable("nothing is accepted")
    return tuple(sorted(found, key=lambda offer: -offer.q))


def _offer(text: str) -> Offer:
    kind, parameters = media_type(text)
    q = parameters.pop("q", "1")
    if "/" not in kind or _Q.fullmatch(q) is None:
        raise errors.BadRequest("malformed Accept")
    return Offer(kind, parameters, float(q))


def choose(request: Request, pick: Callable[[Offer], T | None], *, served: Sequence[str]) -> T:
    """What `pick` makes of the best offer it can serve. Raises NotAcceptable, naming what is `served`."""
    for offer in offers(request):
        if (picked := pick(offer)) is not None:
            return picked
    raise errors.NotAcceptable(
        "none of the accepted media types can be served here", hint=f"served: {', '.join(served)}"
    )


JSON_TYPES = ("application/dicom+json", "application/json")


def choose_json(request: Request) -> str:
    """The JSON media type to answer with, application/dicom+json first. Raises NotAcceptable."""
    accept = request.headers.get("accept")
    if (accept in ("*/*", None) or accept == JSON_TYPES[0]) and "accept=" not in request.query:
        return JSON_TYPES[0]
    return choose(request, _json, served=JSON_TYPES)


def _json(offer: Offer) -> str | None:
    return next((kind for kind in JSON_TYPES if offer.takes(kind)), None)
