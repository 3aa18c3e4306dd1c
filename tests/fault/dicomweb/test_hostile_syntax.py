"""A transfer syntax is repeated in the headers of answers: what cannot stand there is refused at the door."""

from __future__ import annotations

from pathlib import Path

import pytest

from fileroom.dicom.part10 import prefix
from fileroom.errors import RefusedObject
from tests.support.archives import ct, encoded, running_archive

CT = "1.2.840.10008.5.1.4.1.1.2"
HOSTILE = ["1.2\r\nX-Evil: 1", '1.2"; type=text/html', "<b>", "1.2;x=y", "1 2", "1.2/3", "\xe9", "1.2,3", "*"]


@pytest.mark.parametrize("uid", HOSTILE)
def test_a_transfer_syntax_that_breaks_a_header_is_refused(uid: str, tmp_path: Path) -> None:
    honest = prefix(CT, "1.2.9.1.1.1", "1.2.840.10008.1.2.1", "X")
    placeholder = b"1.2.840.10008.1.2.1\0"
    file = honest.replace(placeholder, uid.encode("latin-1").ljust(len(placeholder), b"\0")) + encoded(ct(1))
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        with pytest.raises(RefusedObject):
            archive.store_file(file)
        assert archive.store(ct(1)).outcome == "stored"
