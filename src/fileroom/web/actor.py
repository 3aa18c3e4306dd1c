"""Who acts with a request, as the ledger is told."""

from __future__ import annotations

from fileroom.audit.actor import Actor
from fileroom.web.http import Request
from fileroom.web.pages import NOT_SIGNED_IN

_PROGRAM_CHARACTERS_MAX = 120


def actor(request: Request) -> Actor:
    """Nobody signs in yet: who it is, is what the connection tells."""
    program = request.headers.get("user-agent", "")[:_PROGRAM_CHARACTERS_MAX]
    return Actor(NOT_SIGNED_IN, f"{request.client[0]} {program}".rstrip(), "web")
