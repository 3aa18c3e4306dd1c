"""What a sensible person puts before Orthanc: nginx, with the same OHIF files, and Orthanc's DICOMweb behind it.

As OHIF's own recipe and Orthanc's manual have it: files compressed beforehand and kept by the browser for ever, JSON
compressed on the way, connections to Orthanc kept open. The viewer's page and set-up are Fileroom's, but for
where the archive is, what its kind needs, and hints to the browser, so that both show the same with the same code.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from benches.sides import Side
from fileroom.viewer.files import About
from tests.support import peers, processes

_NGINX = """
daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    types {{
        text/html html; text/css css; text/javascript js; application/wasm wasm; image/svg+xml svg; image/png png;
        font/woff2 woff2; image/x-icon ico;
    }}
    gzip on; gzip_proxied any; gzip_types text/css text/javascript application/dicom+json application/json;
    upstream orthanc {{ server 127.0.0.1:{orthanc}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        location {prefix} {{
            alias {ohif}/; gzip_static always; gunzip on;
            add_header Cache-Control "public, max-age=31536000, immutable";
        }}
        location /static/ {{
            root {folder}; add_header Cache-Control "public, max-age=31536000, immutable";
        }}
        location = /studies {{ default_type text/html; return 200 "<!doctype html><title>Studies</title>Studies"; }}
        location /viewer/ {{ root {folder}; try_files /page.html =404; }}
        location /dicom-web/ {{
            proxy_pass http://orthanc; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $http_host; proxy_max_temp_file_size 0; proxy_request_buffering off;
            client_max_body_size 0;
        }}
    }}
}}
"""
_EARLY = re.compile(r'<link rel="(?:module)?preload"[^>]*>\n')
# Where the set-up differs; as in OHIF's guide to Orthanc.
_DIFFERS = {
    "window.location.origin + '/dicomweb'": "window.location.origin + '/dicom-web'",
    "thumbnailRendering: 'thumbnail'": "thumbnailRendering: 'wadors'",
    "acceptHeader: ['application/octet-stream; transfer-syntax=*']": "omitQuotationForMultipartRequest: false",
}


@contextlib.contextmanager
def front(folder: Path, orthanc: Side, about: About, page: str) -> Iterator[int]:
    """The port of nginx before a running Orthanc; `page` is the viewer's, as Fileroom sends it.

    Raises MissingPeer, NotReady.
    """
    port = processes.free_port()
    _write_set_up(folder, page)
    config = _NGINX.format(
        folder=folder,
        port=port,
        orthanc=orthanc.web,
        prefix=about.prefix,
        ohif=files("fileroom.viewer").joinpath("ohif/files"),
        user="user root;" if os.geteuid() == 0 else "",
    )
    (folder / "nginx.conf").write_text(config)
    command = [peers.program("/usr/sbin/nginx"), "-c", folder / "nginx.conf", "-p", folder]
    server = processes.start(command, folder / "nginx.log")
    try:
        server.wait_until(lambda: processes.accepts_connections(port))
        yield port
    finally:
        server.stop()


def _write_set_up(folder: Path, page: str) -> None:
    """Fileroom's page as OHIF's own index.html is: without a word of what will be wanted later; and what it names."""
    (folder / "static").mkdir(parents=True, exist_ok=True)
    for room in ("web", "viewer"):
        for file in files(f"fileroom.{room}").joinpath("static").iterdir():
            if file.is_file():
                (folder / "static" / file.name).write_bytes(file.read_bytes())
    set_up = (folder / "static/viewer-config.js").read_text()
    for ours, theirs in _DIFFERS.items():
        if ours not in set_up:
            raise ValueError(f"viewer-config.js no longer says {ours}: benches/front.py has to learn how it does")
        set_up = set_up.replace(ours, theirs)
    (folder / "static/viewer-config.js").write_text(set_up)
    (folder / "page.html").write_text(_EARLY.sub("", page))
