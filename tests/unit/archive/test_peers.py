"""What may be a peer's title, host, port and permissions."""

from __future__ import annotations

import pytest

from fileroom.archive.arrival import check_label
from fileroom.archive.peers import ALL, May, check_ae_title, check_host, check_may, check_port
from fileroom.errors import BadRequest


@pytest.mark.parametrize("title", ["A", "CT ROOM 1", "SIXTEEN_LETTERS_", "lower.case-1", "~!#"])
def test_a_title_of_the_standard_is_taken(title: str) -> None:
    assert check_ae_title(title) == title


def test_padding_is_not_part_of_a_title() -> None:
    assert check_ae_title("  CT1   ") == "CT1"


@pytest.mark.parametrize("title", ["", "   ", "SEVENTEEN_LETTERS", "BACK\\SLASH", "TAB\tTAB", "GERÄT", "NUL\0"])
def test_what_cannot_be_a_title_is_refused(title: str) -> None:
    with pytest.raises(BadRequest, match="AE title"):
        check_ae_title(title)


@pytest.mark.parametrize("host", ["", " ", "a b", "x" * 254, "a\nb"])
def test_what_cannot_be_a_host_is_refused(host: str) -> None:
    with pytest.raises(BadRequest, match="host"):
        check_host(host)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_cannot_be_a_port_is_refused(port: int) -> None:
    with pytest.raises(BadRequest, match="port"):
        check_port(port)


def test_permissions_are_words() -> None:
    assert check_may(["store", " FIND ", ""]) == {May.STORE, May.FIND}
    assert check_may(list(May)) == ALL
    with pytest.raises(BadRequest):
        check_may(["store", "delete"])


@pytest.mark.parametrize("text", ["main", "Nord 2", "Überlingen", "A FILEROOM.crc=1", "x" * 64])
def test_a_site_or_label_is_short_printable_text(text: str) -> None:
    assert check_label(text, "site") == text


@pytest.mark.parametrize("text", ["", "x" * 65, "a\nb", "a\x1b[2J", "not UTF-8: \udcff", "\0"])
def test_what_cannot_stand_in_a_record_is_no_site_or_label(text: str) -> None:
    with pytest.raises(BadRequest, match="site"):
        check_label(text, "site")
