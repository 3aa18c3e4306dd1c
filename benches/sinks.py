"""What the machine can do: servers that do as little as can be done, for the column `limit`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benches.sides import Side
from tests.support import peers, processes

_NGINX = """
daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000; open_file_cache max=1000;
    default_type application/octet-stream; client_body_temp_path {folder}; proxy_temp_path {folder};
    fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


@dataclass(slots=True)
class Sink:
    """A server that is no archive."""

    process: processes.Process

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> object:
        return self.process.stop()


@contextlib.contextmanager
def discarding_storescp(folder: Path) -> Iterator[Side]:
    """dcmtk's storescp that receives and throws away: what the sender and the wire can do."""
    port = processes.free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [peers.dcmtk("storescp"), "--ignore", "--fork", "-pdu", "131072", "-aet", "SINK", str(port)]
    server = processes.start(command, folder / "storescp.log", environment=dict(os.environ, TCP_NODELAY="1"))
    server.wait_until(lambda: processes.accepts_connections(port))
    try:
        yield Side("storescp", "SINK", port, 0, "", folder, Sink(server))
    finally:
        server.kill()


@contextlib.contextmanager
def nginx(folder: Path, files: Mapping[str, bytes | memoryview]) -> Iterator[Side]:
    """nginx with those files, by sendfile from the page cache: what a web server can do with the same bytes."""
    port = processes.free_port()
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / "files" / name).write_bytes(content)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, user=user))
    server = processes.start(
        [peers.program("/usr/sbin/nginx"), "-c", folder / "nginx.conf", "-p", folder], folder / "nginx.log"
    )
    server.wait_until(lambda: processes.accepts_connections(port))
    try:
        yield Side("nginx", "", 0, port, "", folder, Sink(server))
    finally:
        server.stop()
