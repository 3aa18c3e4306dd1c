"""The decode worker: `python -m fileroom.archive.decode_worker CHANNEL MEMORY`, started by `fileroom.archive.workers`.

One request at a time from the channel, one answer each. It ends at the end of the channel, so with the server; an
alarm ends it when the server dies while a decoder is stuck.
"""

from __future__ import annotations

import errno
import math
import os
import resource
import signal
import socket
import sys

from fileroom.archive.decode_requests import HANDLERS
from fileroom.archive.worker_messages import Gone, Message, receive, send
from fileroom.errors import FileroomError, MalformedObject

_REFUSED_WRITES = {errno.ENOSPC: "storage", errno.EDQUOT: "storage", errno.EROFS: "storage", errno.EFBIG: "large"}
_GRACE_SECONDS = 5  # beyond the request's time: the server kills first, if it is there


def main(arguments: list[str]) -> None:
    """Serve until the channel closes."""
    descriptor, memory_bytes = (int(argument) for argument in arguments)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as channel:
        while True:
            try:
                message, descriptors = receive(channel)
            except Gone:
                return
            signal.alarm(math.ceil(message["seconds"]) + _GRACE_SECONDS)
            answer, result = _answer(message, descriptors)
            signal.alarm(0)
            for taken in descriptors:
                os.close(taken)
            send(channel, answer, () if result is None else (result,))
            if result is not None:
                os.close(result)


def _answer(message: Message, descriptors: list[int]) -> tuple[Message, int | None]:
    try:
        return HANDLERS[message["operation"]](message, descriptors)
    except MemoryError:
        return {
            "refusal": "undecodable",
            "message": "it needs more memory than a decoder may take",
            "exhausted": 1,
        }, None
    except FileroomError as error:
        kind = "malformed" if isinstance(error, MalformedObject) else "undecodable"
        return {"refusal": kind, "message": str(error)}, None
    except OSError as error:
        kind = _REFUSED_WRITES.get(error.errno or 0, "undecodable")
        return {"refusal": kind, "message": f"{error.strerror}, while decoding"}, None


if __name__ == "__main__":
    main(sys.argv[1:])
