"""What a server refuses before it opens anything."""

from __future__ import annotations

import pytest

from fileroom.errors import BadSetting
from fileroom.ops.server import refuse_open_web
from fileroom.settings import Address, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])
def test_loopback_is_this_machine_only(host: str) -> None:
    assert is_loopback(host)
    refuse_open_web(Address(host, 8080))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "fileroom.example", "localhost.example", "", "127.1"])
def test_a_web_address_that_others_reach_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(BadSetting, match="no sign-in yet"):
        refuse_open_web(Address(host, 8080))
