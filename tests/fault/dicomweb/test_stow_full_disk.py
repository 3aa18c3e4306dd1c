"""A full disk: STOW-RS says so, keeps what it acknowledged, and takes objects again once there is room."""

from __future__ import annotations

from pathlib import Path

from fileroom.dicomweb.stow import Stow
from fileroom.web.router import Router
from tests.support.archives import ct, encoded, running_archive
from tests.support.corpus.instance import Instance
from tests.support.web import RawClient, serving

CT = "1.2.840.10008.5.1.4.1.1.2"


def request(number: int) -> bytes:
    dataset = ct(number, pixels=bytes([number]) * 500_000)
    raw = encoded(dataset)
    whole = Instance(CT, dataset.SOPInstanceUID, "1.2.9.1", "1.2.9.1.1", raw).prefix + raw
    head = f"POST /dicomweb/studies HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(whole)}\r\n"
    return f"{head}Content-Type: application/dicom\r\n\r\n".encode() + whole


def test_a_full_disk_is_said_and_healed_from(small_disk: Path, tmp_path: Path) -> None:
    with running_archive(small_disk, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        router = Router()
        Stow(archive.receiver, "main").add_routes(router)
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(2_000_000))
        with serving(router) as server, RawClient(server) as client:
            statuses = {number: client.ask(request(number)).status for number in range(1, 9)}
            assert set(statuses.values()) == {200, 507}
            ballast.unlink()
            assert client.ask(request(1)).status == 200  # here already, or stored now
            assert client.ask(request(9)).status == 200
        kept = {one.sop_uid: archive.retriever.file(one).read() for one in archive.retriever.instances("1.2.9.1")}
        for number in [number for number, status in statuses.items() if status == 200] + [1, 9]:
            assert kept[f"1.2.9.1.1.{number}"].endswith(bytes([number]) * 500_000)
        assert len(kept) < 9
