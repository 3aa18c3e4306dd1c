"""What a sensible person puts before Orthanc: nginx, with the same OHIF files, and Orthanc's DICOMweb behind it.

As OHIF's own recipe and Orthanc's manual have it: files compressed beforehand and kept by the browser for ever, JSON
compressed on the way, connections to Orthanc kept open. The viewer's set-up is Fileroom's, but for where the archive
is and what its kind needs, so that both sides show the same with the same code.
"""

from __future__ import annotations

import contextlib
import os
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
        location /set-up/ {{
            alias {folder}/set-up/; add_header Cache-Control "public, max-age=31536000, immutable";
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
# As OHIF's own index.html: its script behind the set-up, its stylesheet.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>OHIF Viewer</title>
<script src="/set-up/viewer-config.js" data-extension="/set-up/mammography.js"></script>
<script defer src="{prefix}{script}"></script>
<link rel="stylesheet" href="{prefix}{style}">
</head>
<body>
<noscript>You need to enable JavaScript to run this app.</noscript>
<div id="react-portal"></div>
<div id="root"></div>
</body>
</html>
"""
# Where the set-up differs; as in OHIF's guide to Orthanc.
_DIFFERS = {
    "window.location.origin + '/dicomweb'": "window.location.origin + '/dicom-web'",
    "thumbnailRendering: 'thumbnail'": "thumbnailRendering: 'wadors'",
}


@contextlib.contextmanager
def front(folder: Path, orthanc: Side, about: About) -> Iterator[int]:
    """The port of nginx before a running Orthanc. Raises MissingPeer, NotReady."""
    port = processes.free_port()
    _write_set_up(folder, about)
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


def _write_set_up(folder: Path, about: About) -> None:
    static = files("fileroom.viewer").joinpath("static")
    set_up = static.joinpath("viewer-config.js").read_text()
    for ours, theirs in _DIFFERS.items():
        if ours not in set_up:
            raise ValueError(f"viewer-config.js no longer says {ours}: benches/front.py has to learn how it does")
        set_up = set_up.replace(ours, theirs)
    (folder / "set-up").mkdir(parents=True, exist_ok=True)
    (folder / "set-up/viewer-config.js").write_text(set_up)
    (folder / "set-up/mammography.js").write_bytes(static.joinpath("mammography.js").read_bytes())
    (folder / "page.html").write_text(_PAGE.format(prefix=about.prefix, script=about.script, style=about.style))
