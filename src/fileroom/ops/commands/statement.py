"""`fileroom statement` and `fileroom verify`: the signed statement, and whether to believe one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from fileroom.errors import BadRequest, StorageFull
from fileroom.ops import options
from fileroom.ops.commands.map_ import FactsFile, Subject, System, read_facts
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, printable


def statement(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not be there yet.")],
    verifier: Annotated[
        bool, typer.Option("--with-verifier", help="Write verify_statement.py and the JSON Schema beside it.")
    ] = False,
    facts: FactsFile = None,
    subject: Subject = "",
    system: System = "",
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Write the signed statement: the seven answers, the map, what is open, the decision, as of now.

    It is canonical JSON, signed with the ledger's key. Whoever is to verify it holds HOME/ledger/key.pub already: a
    key that comes with a statement proves nothing.

    Example:  fileroom statement 2026-11.json --with-verifier
    """
    import sqlalchemy as sa

    from fileroom import __version__
    from fileroom.accountability import statement as form
    from fileroom.accountability.answers import answer, document
    from fileroom.accountability.map import Maps
    from fileroom.archive.schema import archive
    from fileroom.audit.checkpoints import Checkpoints
    from fileroom.evidence.book import Book

    out, now_ms, known = Output(as_json), int(time.time() * 1000), read_facts(facts)
    chosen = options.settings(home)
    with options.open_database(chosen) as database:
        kept = Maps(database).kept(system)
        with database.read() as connection:
            name = connection.execute(sa.select(archive.c.id)).scalar() or ""
        signer = Checkpoints(database, chosen.home).signer()
        book = Book(database, chosen.home, name)
        told = document(answer(book, chosen.site, persons=kept.persons), None) if name and not system else {}
    said = form.stated(
        kept,
        known,
        now_ms,
        archive=name,
        release=__version__,
        system=system,
        subject=subject,
        questions=told.get("questions", ()),
        checks=told.get("checks", ()),
    )
    _write(file, form.signed(said, signer))
    if verifier:
        for shipped in (form.VERIFIER, form.SCHEMA):
            _write(file.with_name(shipped.name), shipped.read_bytes())
    out.say(f"Wrote {file}, signed with {signer.name}. Verify it: fileroom verify {file} --key key.pub")
    out.result({"file": str(file), "key": signer.verifier.text, "as_of": said["as_of"]})


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The statement.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="The signer's key.pub, which you hold from before.")],
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Say whether a statement is what that key's owner signed, to the byte. Needs no home and no network.

    The exit code is 1 when it is not. Look at the date it says, too: an old statement stays true of its day.

    Example:  fileroom verify 2026-11.json --key key.pub
    """
    from fileroom.accountability import statement as form
    from fileroom.audit.note import BadNote, Verifier

    out = Output(as_json)
    try:
        data, pinned = file.read_bytes(), Verifier.parse(key.read_text("ascii"))
    except OSError as error:
        raise BadRequest(f"{error.filename} cannot be read: {error.strerror}") from error
    except (BadNote, UnicodeDecodeError) as error:
        raise BadRequest(f"{key} holds no key", hint="a key.pub, as in HOME/ledger") from error
    try:
        said = form.verified(data, pinned)
    except form.BadStatement as error:
        out.say(f"NOT verified: {printable(str(error))}")
        out.result({"good": False, "why": str(error)})
        raise typer.Exit(Exit.FOUND) from error
    out.say(f"Verified: signed by {pinned.name}, as of {said['as_of']}, archive {said['archive'] or 'without a name'}.")
    out.say(f"Open gaps: {len(said['gaps'])}. May go live: {'yes' if said['go_live']['yes'] else 'no'}.")
    out.result({"good": True, "statement": said})


def _write(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise BadRequest(f"{path} is there already", hint="name another file") from error
    except OSError as error:
        raise StorageFull(f"{path} cannot be written: {error.strerror}", hint="name another file") from error
