"""What passes between the server and a decode worker: one JSON message each way, with file descriptors beside it.

The server trusts nothing a worker says, since a hostile image may be speaking: messages are JSON of a bounded size,
and a result is mapped only when it is sealed against shrinking, else a worker could fault the server's memory.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import socket
import struct
from typing import Any

from fileroom.errors import UndecodableImage

MESSAGE_BYTES_MAX = 64 << 20
_DESCRIPTORS_MAX = 4
_LENGTH = struct.Struct("<I")
_SMALL = 1 << 16  # bytes up to which a result is copied rather than mapped

Message = dict[str, Any]


class Gone(Exception):
    """The other side closed the connection."""


def send(channel: socket.socket, message: Message, descriptors: tuple[int, ...] = ()) -> None:
    """Send one message. Raises OSError when the other side is gone or does not read in time."""
    body = json.dumps(message).encode()
    socket.send_fds(channel, [_LENGTH.pack(len(body))], descriptors)
    channel.sendall(body)


def receive(channel: socket.socket) -> tuple[Message, list[int]]:
    """One message and the descriptors that came with it, which are the caller's to close.

    Raises Gone at the end of the stream, TimeoutError as the channel's timeout says, ValueError on nonsense.
    """
    head, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, _DESCRIPTORS_MAX)
    try:
        if len(head) != _LENGTH.size:
            raise Gone
        (size,) = _LENGTH.unpack(head)
        if size > MESSAGE_BYTES_MAX:
            raise ValueError("message too large")
        message = json.loads(_exactly(channel, size))
        if not isinstance(message, dict):
            raise ValueError("not a message")
    except (Gone, OSError, ValueError, RecursionError) as error:
        for descriptor in descriptors:
            os.close(descriptor)
        if isinstance(error, RecursionError):
            raise ValueError("message nested too deep") from error
        raise
    return message, descriptors


def _exactly(channel: socket.socket, size: int) -> bytearray:
    body = bytearray(size)
    view, filled = memoryview(body), 0
    while filled < size:
        got = channel.recv_into(view[filled:])
        if not got:
            raise Gone
        filled += got
    return body


def sealed(data: bytes | bytearray | memoryview | mmap.mmap) -> int:
    """A memory file holding `data`, sealed: what a worker sends back. The caller closes the descriptor."""
    descriptor = os.memfd_create("fileroom", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(data)
    written = 0
    while written < len(view):
        written += os.write(descriptor, view[written : written + (1 << 30)])
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return descriptor


def opened(descriptor: int, size_max: int) -> bytes | memoryview:
    """The content of a sealed memory file; mapped, not copied, when large. Closes the descriptor.

    The map lives as long as the view. Raises UndecodableImage when it is not sealed, or larger than `size_max`.
    """
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        size = os.fstat(descriptor).st_size
        if not seals & fcntl.F_SEAL_SHRINK:
            raise UndecodableImage("the decoder answered with something unsealed")
        if size > size_max:
            raise UndecodableImage("the decoder answered with more than an image holds")
        if size <= _SMALL:
            return os.pread(descriptor, size, 0)
        return memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ))
    except OSError as error:
        raise UndecodableImage("the decoder answered with something unreadable") from error
    finally:
        os.close(descriptor)
