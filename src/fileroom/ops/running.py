"""Asking the server that runs on a home how it is."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass

from fileroom.ops.locks import Running


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /readyz said."""

    ready: bool
    checks: dict[str, str]  # check to "ok" or the reason why not


def ask(server: Running, *, timeout_seconds: float = 10.0) -> Readiness:
    """The server's own verdict; not ready with the reason when it does not answer."""
    host, _, port = server.web.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout_seconds)
    try:
        connection.request("GET", "/readyz", headers={"host": f"127.0.0.1:{port}"})
        answer = json.loads(connection.getresponse().read())
        return Readiness(bool(answer["ready"]), dict(answer["checks"]))
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        return Readiness(False, {"web": f"no answer at {server.web}: {type(error).__name__}"})
    finally:
        connection.close()
