"""What the DICOM door offers: abstract syntaxes and, for each, the transfer syntaxes it takes (PS3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fileroom.dicom.storage_classes import STORAGE_CLASSES
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, SYNTAXES
from fileroom.net.associate import Answer, ContextResult, Proposal, Request, Role
from fileroom.net.association import Context
from fileroom.net.client import VERIFICATION


class Service(StrEnum):
    """The kind of service behind an abstract syntax."""

    VERIFY = "verification"
    STORE = "storage"
    FIND = "query"
    MOVE = "move"
    GET = "get"


@dataclass(frozen=True, slots=True)
class Offer:
    """One abstract syntax that is not storage."""

    service: Service
    name: str
    patient_root: bool = False


OFFERS: dict[str, Offer] = {
    VERIFICATION: Offer(Service.VERIFY, "Verification"),
    "1.2.840.10008.5.1.4.1.2.1.1": Offer(Service.FIND, "Patient Root Query/Retrieve - FIND", True),
    "1.2.840.10008.5.1.4.1.2.1.2": Offer(Service.MOVE, "Patient Root Query/Retrieve - MOVE", True),
    "1.2.840.10008.5.1.4.1.2.1.3": Offer(Service.GET, "Patient Root Query/Retrieve - GET", True),
    "1.2.840.10008.5.1.4.1.2.2.1": Offer(Service.FIND, "Study Root Query/Retrieve - FIND"),
    "1.2.840.10008.5.1.4.1.2.2.2": Offer(Service.MOVE, "Study Root Query/Retrieve - MOVE"),
    "1.2.840.10008.5.1.4.1.2.2.3": Offer(Service.GET, "Study Root Query/Retrieve - GET"),
}

# Transfer syntaxes of messages that are not storage.
PLAIN_SYNTAXES = (EXPLICIT_LE, IMPLICIT_LE)

_STANDARD_ARC = "1.2.840.10008."
_STORAGE_ARC = "1.2.840.10008.5.1.4.1.1."
# Services that the standard numbered inside the storage arc: protocol approval and inventory queries.
_NOT_STORAGE = ("1.2.840.10008.5.1.4.1.1.200.", "1.2.840.10008.5.1.4.1.1.201.")


def service_of(abstract_syntax: str) -> Service | None:
    """The service that answers this abstract syntax, or None.

    Storage is every class the standard lists, every other one in the standard's storage arc (newer than our table)
    and every one outside the standard (private); what else the standard numbers is a service we do not have.
    """
    offer = OFFERS.get(abstract_syntax)
    if offer is not None:
        return offer.service
    if abstract_syntax in STORAGE_CLASSES:
        return Service.STORE
    if abstract_syntax.startswith(_NOT_STORAGE):
        return None
    if abstract_syntax.startswith(_STANDARD_ARC) and not abstract_syntax.startswith(_STORAGE_ARC):
        return None
    return Service.STORE


def negotiate(request: Request) -> tuple[tuple[Answer, ...], dict[int, Context], tuple[Role, ...]]:
    """Our answer to each proposed context, the contexts that are now open, and the roles agreed to.

    The first transfer syntax that we know is taken: the requestor's order is its preference (PS3.8 9.3.2.2).
    """
    asked = {role.abstract_syntax: role for role in request.hello.roles}
    answers: list[Answer] = []
    contexts: dict[int, Context] = {}
    roles: dict[str, Role] = {}
    for proposal in request.proposals:
        service = service_of(proposal.abstract_syntax)
        answer = _answer(proposal, service)
        answers.append(answer)
        if answer.result != ContextResult.ACCEPTED:
            continue
        role = asked.get(proposal.abstract_syntax)
        we_may_request = service is Service.STORE and role is not None and role.scp
        if role is not None:
            roles[role.abstract_syntax] = Role(role.abstract_syntax, role.scu, we_may_request)
        contexts[proposal.context_id] = Context(
            proposal.context_id, proposal.abstract_syntax, answer.transfer_syntax, we_may_request
        )
    return tuple(answers), contexts, tuple(roles.values())


def _answer(proposal: Proposal, service: Service | None) -> Answer:
    first = proposal.transfer_syntaxes[0] if proposal.transfer_syntaxes else IMPLICIT_LE
    if service is None:
        return Answer(proposal.context_id, ContextResult.ABSTRACT_SYNTAX, first)
    known = SYNTAXES if service is Service.STORE else PLAIN_SYNTAXES
    for uid in proposal.transfer_syntaxes:
        if uid in known:
            return Answer(proposal.context_id, ContextResult.ACCEPTED, uid)
    return Answer(proposal.context_id, ContextResult.TRANSFER_SYNTAXES, first)
