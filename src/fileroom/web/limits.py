"""What one web server allows: every bound it keeps, in one frozen value.

The defaults suit one small server; `ops` may set others.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on connections, requests and standing still."""

    connections_max: int = 256  # open at once; over it the longest idle one gives way, else: 503 and close
    connections_per_address_max: int = 128  # of those, from one peer address
    head_bytes_max: int = 65536  # request line and headers together; over it: 431
    target_bytes_max: int = 16384  # the request target; over it: 414. UID lists in queries are long
    headers_max: int = 100  # header lines; over it: 431
    body_bytes_max: int | None = None  # one request body; over it: 413. None: any size, since bodies are streamed
    drain_bytes_max: int = 262144  # of a body the handler left unread; over it the connection closes
    idle_seconds: float = 75.0  # between two requests on one connection
    spare_seconds: float = 1.0  # a connection idle for so long gives way to a new one when there are too many
    head_seconds: float = 15.0  # from a request's first byte to the end of its headers; over it: 408
    stall_seconds: float = 30.0  # one read or write that moves nothing, and the window of the rate below
    rate_bytes_min: int = 8192  # bytes a second a body must move, either way, over each window spent waiting
    linger_seconds: float = 2.0  # after a last answer, for the peer to finish sending and read it
