"""The bounds of one association: what a peer may make us wait for, hold or allocate."""

from __future__ import annotations

from dataclasses import dataclass

CONTEXTS_MAX = 128  # presentation contexts: the odd numbers of one byte (PS3.8 9.3.2.2)
ASSOCIATE_BYTES_MAX = 1 << 20  # one A-ASSOCIATE-RQ or -AC: 128 contexts with every transfer syntax are about 600 KB
EMPTY_FRAGMENTS_MAX = 256  # in a row: a peer that sends nothing, busily, is aborted


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in bytes and seconds. Every wait on a peer ends at one of them."""

    pdu_bytes_max: int = 256 * 1024  # announced to the peer; a longer P-DATA-TF is aborted (PS3.8 D.1)
    command_bytes_max: int = 64 * 1024  # one command set
    identifier_bytes_max: int = 1 << 20  # one C-FIND, C-MOVE or C-GET identifier
    dataset_bytes_max: int = 16 << 30  # one C-STORE dataset on the wire, kept or not
    artim_seconds: float = 30.0  # for the association request, and for the peer to close (PS3.8 9.1.5)
    idle_seconds: float = 600.0  # between two messages
    pdu_seconds: float = 60.0  # from one PDU to the end of the next inside a message
    write_seconds: float = 60.0  # for the peer to take each piece of at most a megabyte
    connect_seconds: float = 10.0  # for a peer to answer a connection of ours
    answer_seconds: float = 300.0  # for a peer to answer a request of ours
    tick_seconds: float = 2.0  # how often a waiting thread looks at its bounds; a wait may last this much longer
