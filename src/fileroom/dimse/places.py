"""How many connections and associations there may be at once."""

from __future__ import annotations

import threading
from collections import Counter

WAITING_MAX = 128  # connections that have not asked for an association yet
WAITING_PER_ADDRESS_MAX = 16  # of them from one address, on a door that other machines reach


class Places:
    """Counts connections in two rooms: those that still have to ask, and those with an association.

    Whoever connects and says nothing takes a place in the first only, so it keeps no known peer out; and whoever has
    three quarters of the associations gets no more. Thread-safe.
    """

    def __init__(self, associations_max: int, *, shared: bool) -> None:
        """`shared`: other machines reach the door, and each address has a bound of its own."""
        self._associations_max = associations_max
        self._per_address_max = max(1, associations_max - associations_max // 4) if shared else associations_max
        self._waiting_per_address_max = WAITING_PER_ADDRESS_MAX if shared else WAITING_MAX
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._waiting_count = 0
        self._associations: Counter[str] = Counter()

    def arrive(self, address: str) -> bool:
        """A connection from this address comes in; False when too many wait already. Then `leave` is not called."""
        with self._lock:
            if self._waiting_count >= WAITING_MAX or self._waiting[address] >= self._waiting_per_address_max:
                return False
            self._waiting[address] += 1
            self._waiting_count += 1
            return True

    def sit(self, address: str) -> bool:
        """One of those that wait gets its association; False when there is no place for one more."""
        with self._lock:
            if self._associations.total() >= self._associations_max:
                return False
            if self._associations[address] >= self._per_address_max:
                return False
            self._associations[address] += 1
            self._stop_waiting(address)
            return True

    def leave(self, address: str, *, seated: bool) -> None:
        """A connection is over."""
        with self._lock:
            if seated:
                self._associations[address] -= 1
                if not self._associations[address]:
                    del self._associations[address]
            else:
                self._stop_waiting(address)

    def _stop_waiting(self, address: str) -> None:
        self._waiting_count -= 1
        self._waiting[address] -= 1
        if not self._waiting[address]:
            del self._waiting[address]
