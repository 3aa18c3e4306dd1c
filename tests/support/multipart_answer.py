"""Reading a multipart/related answer with the standard library's own parser."""

from __future__ import annotations

import email
from dataclasses import dataclass

from tests.support.asking import Answer


@dataclass(frozen=True)
class Piece:
    """One part."""

    media_type: str  # with parameters
    location: str
    body: bytes


def parts(answer: Answer) -> list[Piece]:
    """The parts of an answer, in order."""
    message = email.message_from_bytes(f"Content-Type: {answer.header('content-type')}\r\n\r\n".encode())
    assert message.get_content_type() == "multipart/related"
    boundary = str(message.get_param("boundary")).encode()
    assert answer.body.endswith(b"--" + boundary + b"--\r\n")
    pieces = []
    for raw in answer.body.split(b"--" + boundary)[1:-1]:
        header, _, body = raw.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = email.message_from_bytes(header + b"\r\n\r\n")
        pieces.append(Piece(fields["content-type"], fields["content-location"] or "", body[:-2]))
    return pieces
