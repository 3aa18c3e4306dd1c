"""What a server did to its files and sockets, read from an strace log, and whether that kept the promise that what is
acknowledged survives power loss. Pure: text in, findings out.

The log is one of `strace -f -yy -s 8192`; see `OPTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

CALLS = (
    "open,openat,creat,mkdir,mkdirat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,rename,renameat,renameat2,"
    "fsync,fdatasync,sync_file_range,sendto,sendmsg,sendfile"
)
OPTIONS = ("-D", "-f", "-yy", "-qq", "-s", "8192", "-e", f"trace={CALLS}", "-e", "signal=none")
_WRITES = frozenset({"write", "writev", "pwrite64", "pwritev", "pwritev2"})
_SENDS = frozenset({"sendto", "sendmsg", "write", "writev", "sendfile"})
_SYNCS = frozenset({"fsync", "fdatasync"})

_LINE = re.compile(r"^(\d+) +(?:\d+\.\d+ )?(.*)$")
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
_CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+|\?).*$", re.DOTALL)
_FD = re.compile(r"^(\d+)<(.*?)>(?=[,)]|$)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One system call. Calls overlap: one is before another when it ended before the other began."""

    name: str
    arguments: str
    result: int
    began: int  # line of the log
    ended: int

    def before(self, other: Call) -> bool:
        return self.ended < other.began

    @property
    def file(self) -> str:
        """What its first argument, a descriptor, is open on: a path, or a connection."""
        found = _FD.match(self.arguments)
        return found[2] if found else ""

    @property
    def paths(self) -> list[str]:
        """The paths among its arguments."""
        return [text for text in _QUOTED.findall(self.arguments) if text.startswith("/")]


def read(log: str) -> list[Call]:
    """The calls of an strace log that succeeded, in the order in which they ended."""
    calls: list[Call] = []
    begun: dict[str, tuple[str, int]] = {}  # by thread
    for number, line in enumerate(log.splitlines()):
        found = _LINE.match(line)
        if found is None:
            continue
        thread, text = found[1], found[2]
        began = number
        if text.endswith("<unfinished ...>"):
            begun[thread] = (text.removesuffix("<unfinished ...>").rstrip(), number)
            continue
        resumed = _RESUMED.match(text)
        if resumed is not None:
            head, began = begun.pop(thread, (f"{resumed[1]}(", number))
            text = head + resumed[2].lstrip()
        call = _CALL.match(text)
        if call is not None and call[3] != "?" and int(call[3]) >= 0:
            calls.append(Call(call[1], call[2], int(call[3]), began, number))
    return calls


Reply = Callable[[Call], bool]


def c_store_reply(port: int) -> Reply:
    """Whether a call sends a P-DATA-TF PDU from that port of ours."""
    return lambda call: _from_port(call, port) and '"\\4\\0' in call.arguments


def http_reply(port: int) -> Reply:
    """Whether a call sends an HTTP success from that port of ours, other than one to a question."""
    return lambda call: _from_port(call, port) and "HTTP/1.1 20" in call.arguments and "00081199" in call.arguments


def _from_port(call: Call, port: int) -> bool:
    return call.name in _SENDS and f":{port}->" in call.file


def broken_promises(calls: Iterable[Call], home: str, mark: str, reply: Reply) -> list[str]:
    """Every way in which the first reply left before the object that holds `mark` survived power loss; [] is well.

    `mark` is text that lies in the pack and in the database (the SOP Instance UID). A log in which the object, or the
    reply, is not to be found breaks the promise as well: such a test would prove nothing.
    """
    every = list(calls)
    answered = next((call for call in every if reply(call)), None)
    if answered is None:
        return ["no reply is in the log"]
    done = [call for call in every if call.before(answered)]
    wal = f"{home}/fileroom.sqlite-wal"
    written = [call for call in done if _is_write(call) and _in_packs(call, home) and mark in call.arguments]
    indexed = [call for call in done if _is_write(call) and call.file == wal and mark in call.arguments]
    if not written:
        return ["the reply left before the object was written to a pack"]
    if not indexed:
        return ["the reply left before the object was written to the database"]
    pack = written[-1].file
    return [
        *_pack_faults(done, home, pack, indexed[0]),
        *_unsynced(done, wal, answered, "the reply left"),
        *_folder_faults(done, home, answered),
    ]


def _pack_faults(done: list[Call], home: str, pack: str, indexed: Call) -> list[str]:
    """The pack's bytes, its name and its folder must be durable before the database speaks of them."""
    faults = _unsynced([call for call in done if call.began < indexed.began], pack, indexed, "the database spoke of it")
    renamed = [call for call in done if call.name.startswith("rename") and pack in call.paths]
    name_given = renamed or [call for call in done if _creates(call) and pack in call.paths]
    if not name_given:
        faults.append(f"{_name(pack)} was never created")
    elif not _synced(done, f"{home}/packs", name_given[-1], indexed):
        faults.append(f"the folder of {_name(pack)} was not synced before the database spoke of it")
    if renamed and _unsynced([call for call in done if call.before(renamed[-1])], pack, renamed[-1], "its rename"):
        faults.append(f"{_name(pack)} got its lasting name before its bytes were synced")
    return faults


def _unsynced(done: list[Call], path: str, until: Call, what: str) -> list[str]:
    writes = [call for call in done if _is_write(call) and call.file == path and call.before(until)]
    if not writes or _synced(done, path, max(writes, key=lambda call: call.ended), until):
        return []
    return [f"{_name(path)} was written and not synced before {what}"]


def _synced(done: list[Call], path: str, after: Call, until: Call) -> bool:
    return any(call.name in _SYNCS and call.file == path and after.before(call) and call.before(until) for call in done)


def _folder_faults(done: list[Call], home: str, answered: Call) -> list[str]:
    """Folders and database files made on the way must be durable in the folder that holds them."""
    made: dict[str, Call] = {}
    for call in done:
        if call.name.startswith("mkdir") or _creates(call):
            for path in call.paths:
                if _holds_truth(path, home):
                    made.setdefault(path, call)  # later ones open what is there
    return [
        f"{_name(path)} was made and its folder not synced before the reply left"
        for path, call in made.items()
        if not _synced(done, str(PurePosixPath(path).parent), call, answered)
    ]


def _holds_truth(path: str, home: str) -> bool:
    return path in (home, f"{home}/packs", f"{home}/fileroom.sqlite", f"{home}/fileroom.sqlite-wal")


def _creates(call: Call) -> bool:
    return call.name == "creat" or (call.name in ("open", "openat") and "O_CREAT" in call.arguments)


def _is_write(call: Call) -> bool:
    return call.name in _WRITES


def _in_packs(call: Call, home: str) -> bool:
    return call.file.startswith(f"{home}/packs/")


def _name(path: str) -> str:
    return PurePosixPath(path).name
