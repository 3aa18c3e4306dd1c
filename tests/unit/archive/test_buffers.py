"""Buffers: bounded altogether, charged for what is used, taken without waiting, used again."""

from __future__ import annotations

from fileroom.archive.buffers import Buffers

MIB = 1 << 20


def test_memory_is_charged_as_it_is_used_and_given_back() -> None:
    buffers = Buffers(8 * MIB, 4 * MIB)
    large = buffers.take(2 * MIB)
    assert large is not None
    assert buffers.free_bytes == 6 * MIB
    assert buffers.extend(large, 3 * MIB + 1)
    assert buffers.free_bytes == 4 * MIB
    large.memory[3 * MIB] = 7
    buffers.give_back(large)
    assert buffers.free_bytes == 8 * MIB


def test_nobody_waits_for_memory_that_is_not_there() -> None:
    buffers = Buffers(2 * MIB, 4 * MIB)
    first, second = buffers.take(100), buffers.take(100)
    assert first is not None
    assert second is not None
    assert buffers.take(100) is None
    buffers.give_back(first)
    third = buffers.take(100)
    assert third is not None
    assert not buffers.extend(third, 5 * MIB)
    assert buffers.free_bytes == 0


def test_an_object_larger_than_any_buffer_gets_none() -> None:
    assert Buffers(64 * MIB, 4 * MIB).take(4 * MIB + 1) is None


def test_a_buffer_is_used_again_and_only_so_much_is_kept() -> None:
    buffers = Buffers(1024 * MIB, 32 * MIB)
    taken = [buffers.take(30 * MIB) for _ in range(6)]
    for buffer in taken:
        assert buffer is not None
        buffers.give_back(buffer)
    assert sum(buffers.take(30 * MIB) in taken for _ in range(6)) == 3
