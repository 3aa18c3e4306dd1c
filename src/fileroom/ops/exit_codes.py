"""The exit codes of every command, and the one table that turns errors into them. Printed in docs/commands.md."""

from __future__ import annotations

from enum import IntEnum

from fileroom import errors


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FOUND = 1
    USAGE = 2
    UNAVAILABLE = 3
    DEFECT = 4
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.OK: "It did what was asked, and found nothing wrong.",
    Exit.FOUND: "It ran, and found something wrong: a damaged object, a refused file, a peer that does not answer, "
    "a study that is not there, a conflict that somebody else decided before. The output says what.",
    Exit.USAGE: "The command line or a setting is wrong. Nothing was done.",
    Exit.UNAVAILABLE: "It could not run: the database does not answer, the disk is full, a port or the home is in use.",
    Exit.DEFECT: "A defect in Fileroom. The traceback belongs in a report.",
    Exit.INTERRUPTED: "Ctrl-C before it was done. What was finished stays.",
}

# The first match from the top wins.
_BY_ERROR: tuple[tuple[type[errors.FileroomError], Exit], ...] = (
    (errors.BadSetting, Exit.USAGE),
    (errors.BadRequest, Exit.USAGE),
    (errors.NotFound, Exit.FOUND),
    (errors.Superseded, Exit.FOUND),
    (errors.RefusedObject, Exit.FOUND),
    (errors.DamagedPack, Exit.FOUND),
    (errors.DamagedLedger, Exit.FOUND),
    (errors.PeerUnavailable, Exit.FOUND),
    (errors.FileroomError, Exit.UNAVAILABLE),
)


def exit_code(error: errors.FileroomError) -> Exit:
    """The exit code of a command that ended with this error."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))
