"""Verifies a Fileroom statement with nothing but Python 3.9 or later and the package `cryptography`.

    python verify_statement.py STATEMENT.json KEY.pub

KEY.pub is the signer's public key, which you were given when you first met, not together with the statement: a
stranger can sign anything with a key of their own. Prints what the statement is about and ends with 0 when not a byte
was changed and that key signed it; else says why not, and ends with 1.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORM = "fileroom-statement-1"


class Refused(Exception):
    """Why it is not believed."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no key stands twice, and every key is plain, so that sorting is the same everywhere."""
    found = dict(pairs)
    if len(found) != len(pairs) or not all(key.isascii() for key in found):
        raise Refused("a key stands twice, or is not ASCII")
    return found


def refused(number: str) -> NoReturn:
    """Statements hold whole numbers only: those are written in one way."""
    raise Refused(f"a number that is not whole: {number}")


def canonical(value: object) -> bytes:
    """RFC 8785 for what a statement holds: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def public_key(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Name, key id and key from `NAME+ID+KEY` (C2SP signed-note)."""
    name, identity, key = text.strip().split("+", 2)
    data = base64.b64decode(key, validate=True)
    hashed = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if len(data) != 33 or data[:1] != b"\x01" or hashed.hex() != identity:
        raise Refused("not an Ed25519 public key of a signed note")
    return name, hashed, Ed25519PublicKey.from_public_bytes(data[1:])


def verify(data: bytes, key_text: str) -> dict[str, Any]:
    """The statement. Raises Refused."""
    told = json.loads(data.decode(), object_pairs_hook=once, parse_float=refused, parse_constant=refused)
    if set(told) != {"form", "signature", "statement"} or told["form"] != FORM or canonical(told) + b"\n" != data:
        raise Refused("this is not the form that a statement is written in: a byte was changed")
    if set(told["signature"]) != {"key", "value"} or told["signature"]["key"] != key_text.strip():
        raise Refused("signed with another key than the one you hold")
    _, identity, key = public_key(key_text)
    signature = base64.b64decode(told["signature"]["value"], validate=True)
    if base64.b64encode(signature).decode() != told["signature"]["value"] or signature[:4] != identity:
        raise Refused("the signature was changed, or is of another key")
    text = FORM.encode() + b"\n" + canonical(told["statement"]) + b"\n"
    try:
        key.verify(signature[4:], text)
    except InvalidSignature:
        raise Refused("the signature does not match: the statement was changed") from None
    statement: dict[str, Any] = told["statement"]
    return statement


def main() -> None:
    """The command line."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    with open(sys.argv[2], encoding="ascii") as file:
        key_text = file.read()
    try:
        said = verify(data, key_text)
    except (Refused, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        sys.exit(f"NOT VERIFIED: {error}")
    print(f"Verified: as of {said['as_of']}, archive {said['archive']}, release {said['release']}.")  # noqa: T201
    print(f"Open gaps: {len(said['gaps'])}. May go live: {'yes' if said['go_live']['yes'] else 'no'}.")  # noqa: T201


if __name__ == "__main__":
    main()
