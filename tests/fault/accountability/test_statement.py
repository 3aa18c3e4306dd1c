"""A statement that was altered, signed by a stranger, or is none; here and by the script that stands alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fileroom.accountability import statement
from fileroom.accountability.canonical import canonical
from fileroom.accountability.map import Kept
from fileroom.accountability.rows import Role
from fileroom.accountability.statement import BadStatement, signed, stated, verified
from fileroom.accountability.verify_statement import Refused, verify
from fileroom.audit.note import Signer
from tests.support.responsibility import NOW_MS, accepted, facts, row, version

OURS, STRANGER = Signer("fileroom/ours", b"1" * 32), Signer("fileroom/ours", b"2" * 32)


def said(**changed: str) -> dict[str, object]:
    one = version(
        row(deputy=None), row(Role.EXIT, organisation='=HYPERLINK("x")', contact="<script>alert(1)</script> ©")
    )
    kept = Kept((one,), tuple(accepted(each) for each in one.rows))
    names = {"archive": "archive-1", "release": "1.0"} | changed
    return stated(kept, facts(one), NOW_MS, **names)  # type: ignore[arg-type]


DATA = signed(said(), OURS)


def refused_by_both(data: bytes) -> None:
    with pytest.raises(BadStatement):
        verified(data, OURS.verifier)
    with pytest.raises((Refused, ValueError, KeyError, TypeError, AttributeError, RecursionError)):
        verify(data, OURS.verifier.text)


def test_a_statement_is_believed_by_both() -> None:
    assert verified(DATA, OURS.verifier) == said()
    assert verify(DATA, OURS.verifier.text + "\n") == said()


def test_a_changed_byte_is_found_wherever_it_is() -> None:
    for at in range(len(DATA)):
        changed = bytearray(DATA)
        changed[at] ^= 1
        with pytest.raises(BadStatement):
            verified(bytes(changed), OURS.verifier)
    for at in range(0, len(DATA), 7):
        changed = bytearray(DATA)
        changed[at] ^= 4
        refused_by_both(bytes(changed))


def test_what_is_cut_off_put_before_or_after_is_found() -> None:
    for data in (b"", DATA[:-1], DATA[1:], DATA + b"\n", b" " + DATA, DATA + DATA, b"\xef\xbb\xbf" + DATA):
        refused_by_both(data)


def test_one_signed_anew_by_a_stranger_is_refused_though_the_name_is_ours() -> None:
    refused_by_both(signed(said(), STRANGER))
    forged = json.loads(signed(said(), STRANGER))
    forged["signature"]["key"] = OURS.verifier.text
    refused_by_both(canonical(forged) + b"\n")


def test_a_signature_of_another_statement_or_of_a_note_proves_nothing() -> None:
    told, other = json.loads(DATA), json.loads(signed(said(archive="archive-2"), OURS))
    told["signature"] = other["signature"]
    refused_by_both(canonical(told) + b"\n")
    note = OURS.sign("fileroom/ours\n3\nAAAA\n").rstrip("\n").rpartition(" ")[2]
    told["signature"] = {"key": OURS.verifier.text, "value": note}
    refused_by_both(canonical(told) + b"\n")


@pytest.mark.parametrize(
    "data", [b"null\n", b"[]\n", b'{"form":1,"signature":[],"statement":{}}\n', b"[" * 9999, b"\0"]
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    refused_by_both(data)


def test_the_same_values_written_in_another_way_are_refused() -> None:
    refused_by_both(json.dumps(json.loads(DATA), indent=1).encode() + b"\n")
    refused_by_both(json.dumps(json.loads(DATA), sort_keys=True, separators=(",", ":")).encode() + b"\n")
    twice = DATA.replace(b'{"form":', b'{"form":"fileroom-statement-1","form":', 1)
    refused_by_both(twice)


def test_the_script_is_short_and_needs_nothing_of_fileroom(tmp_path: Path) -> None:
    script = statement.VERIFIER.read_text()
    assert len(script.splitlines()) <= 100
    assert "import fileroom" not in script
    assert "from fileroom" not in script
    copy, file, key, stranger = (tmp_path / name for name in ("verify.py", "s.json", "key.pub", "stranger.pub"))
    copy.write_text(script)
    file.write_bytes(DATA)
    key.write_text(OURS.verifier.text + "\n")
    stranger.write_text(STRANGER.verifier.text + "\n")

    def run(pinned: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(copy), str(file), str(pinned)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert run(key).returncode == 0
    assert "Open gaps:" in run(key).stdout
    assert run(stranger).returncode == 1
    assert "NOT VERIFIED" in run(stranger).stderr


def _fits(value: object, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """As much of JSON Schema as this one uses."""
    if "$ref" in schema:
        return _fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(_fits(value, one, root) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds: dict[str, type] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    if not isinstance(value, kinds[schema["type"]]):
        return False
    if isinstance(value, dict) and "properties" in schema:
        names = schema["properties"]
        whole = set(value) == set(names) == set(schema["required"])
        return whole and all(_fits(value[name], names[name], root) for name in names)
    return not isinstance(value, list) or all(_fits(one, schema["items"], root) for one in value)


def test_a_statement_is_what_the_published_schema_says() -> None:
    schema = json.loads(statement.SCHEMA.read_text())
    assert _fits(json.loads(DATA), schema, schema)
    assert _fits(
        json.loads(signed(stated(Kept(), facts(version()), NOW_MS, archive="", release=""), OURS)), schema, schema
    )
    changed = json.loads(DATA)
    changed["statement"]["map"]["rows"][0]["status"] = "green"
    assert not _fits(changed, schema, schema)
