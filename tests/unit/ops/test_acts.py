"""What a route tells the ledger."""

from __future__ import annotations

import pytest

from fileroom.ops.acts import Way, told


def test_a_route_that_nobody_has_declared_is_not_served() -> None:
    with pytest.raises(LookupError, match=r"acts\.py"):
        told("GET", "/studies/{study}/new-page")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_viewers_own_files_are_read_only(method: str) -> None:
    assert told("GET", "/viewer/0123abcd/{name...}").way is Way.NOT
    with pytest.raises(LookupError):
        told(method, "/viewer/0123abcd/{name...}")
