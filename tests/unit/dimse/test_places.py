"""Places: nobody who says nothing, and nobody who has many already, keeps others out."""

from __future__ import annotations

from fileroom.dimse.places import WAITING_PER_ADDRESS_MAX, Places


def seat(places: Places, address: str) -> bool:
    if not places.arrive(address):
        return False
    if places.sit(address):
        return True
    places.leave(address, seated=False)
    return False


def test_one_caller_cannot_hold_every_association() -> None:
    places = Places(8, shared=True)
    assert [seat(places, "10.0.0.1") for _ in range(8)] == [True] * 6 + [False] * 2
    assert seat(places, "10.0.0.2")
    assert seat(places, "10.0.0.2")
    assert not seat(places, "10.0.0.3")
    places.leave("10.0.0.1", seated=True)
    assert seat(places, "10.0.0.3")


def test_on_this_machine_alone_there_is_one_bound() -> None:
    places = Places(4, shared=False)
    assert [seat(places, "127.0.0.1") for _ in range(5)] == [True] * 4 + [False]


def test_connections_that_wait_are_bounded_by_address() -> None:
    places = Places(4, shared=True)
    assert all(places.arrive("10.0.0.1") for _ in range(WAITING_PER_ADDRESS_MAX))
    assert not places.arrive("10.0.0.1")
    assert places.arrive("10.0.0.2")
