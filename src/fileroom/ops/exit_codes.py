"""The exit codes of every command: one table, printed in docs/commands.md."""

from __future__ import annotations

from enum import IntEnum


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
    "a study that is not there. The output says what.",
    Exit.USAGE: "The command line or a setting is wrong. Nothing was done.",
    Exit.UNAVAILABLE: "It could not run: the database does not answer, the disk is full, a port or the home is in use.",
    Exit.DEFECT: "A defect in Fileroom. The traceback belongs in a report.",
    Exit.INTERRUPTED: "Ctrl-C, before it was done. What was finished stays.",
}
