"""The checker of syscall logs: a log of a kept promise is well, and any line of it taken out or moved is noticed."""

from __future__ import annotations

import pytest

from tests.support.syscalls import broken_promises, c_store_reply, http_reply, read

WAL = "/h/fileroom.sqlite-wal"
REPLY = r'1 sendto(9<TCP:[127.0.0.1:104->127.0.0.1:5]>, "\4\0\0\0\0R\0", 90, 0, NULL, 0) = 90'
SMALL = [
    '1 mkdir("/h/packs", 0750) = 0',
    f'1 openat(AT_FDCWD</x>, "{WAL}", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0644) = 4<{WAL}>',
    "1 fsync(5</h>) = 0",
    '2 openat(AT_FDCWD</x>, "/h/packs/7.tar", O_RDWR|O_CREAT|O_EXCL, 0640) = 6</h/packs/7.tar>',
    "2 fsync(7</h/packs>) = 0",
    '2 pwritev(6</h/packs/7.tar>, [{iov_base="x1.2.3y", iov_len=7}], 1, 0) = 7',
    "2 fdatasync(6</h/packs/7.tar>) = 0",
    f'3 pwrite64(4<{WAL}>, "..1.2.3..", 9, 0) = 9',
    f"3 fdatasync(4<{WAL}>) = 0",
    REPLY,
]
LARGE = [
    *SMALL[:3],
    '2 openat(AT_FDCWD</x>, "/h/packs/7.part", O_RDWR|O_CREAT|O_EXCL, 0640) = 6</h/packs/7.part>',
    '2 pwritev(6</h/packs/7.part>, [{iov_base="pixels", iov_len=6}], 1, 2048) = 6',
    '2 pwritev(6</h/packs/7.part>, [{iov_base="x1.2.3y", iov_len=7}], 1, 0) = 7',
    "2 fdatasync(6</h/packs/7.part>) = 0",
    '2 rename("/h/packs/7.part", "/h/packs/7.tar") = 0',
    "2 fsync(7</h/packs>) = 0",
    *SMALL[7:],
]
NEEDED_SMALL = [line for line in SMALL if not line.startswith(("1 mkdir", "1 openat"))]
NEEDED_LARGE = [line for line in LARGE if "sync" in line or "1.2.3" in line or line == REPLY]


def faults(lines: list[str]) -> list[str]:
    return broken_promises(read("\n".join(lines)), "/h", "1.2.3", c_store_reply(104))


@pytest.mark.parametrize("lines", [SMALL, LARGE])
def test_a_kept_promise_is_well(lines: list[str]) -> None:
    assert faults(lines) == []


@pytest.mark.parametrize("line", NEEDED_SMALL)
def test_every_line_taken_out_is_noticed(line: str) -> None:
    assert faults([other for other in SMALL if other != line])


@pytest.mark.parametrize("line", NEEDED_LARGE)
def test_every_line_of_a_large_object_taken_out_is_noticed(line: str) -> None:
    assert faults([other for other in LARGE if other != line])


@pytest.mark.parametrize("line", [line for line in NEEDED_SMALL if line != REPLY])
def test_what_comes_after_the_reply_does_not_count(line: str) -> None:
    assert faults([*(other for other in SMALL if other != line), line])


@pytest.mark.parametrize(("first", "second"), [(6, 7), (5, 6), (7, 8), (4, 7)])
def test_the_order_counts(first: int, second: int) -> None:
    lines = list(SMALL)
    lines.insert(second, lines.pop(first))
    assert faults(lines)


def test_a_sync_that_began_before_the_write_ended_does_not_count() -> None:
    lines = list(SMALL)
    lines[5:7] = [
        lines[5].replace(" = 7", " <unfinished ...>").replace(")", ""),
        "3 fdatasync(6</h/packs/7.tar>) = 0",
        "2 <... pwritev resumed>) = 7",
    ]
    assert faults(lines)


def test_a_sync_that_returned_after_the_reply_left_does_not_count() -> None:
    lines = list(SMALL)
    lines[8:] = [f"3 fdatasync(4<{WAL}> <unfinished ...>", REPLY, "3 <... fdatasync resumed>) = 0"]
    assert faults(lines)


def test_a_sync_that_failed_does_not_count() -> None:
    assert faults([line.replace("fdatasync(6</h/packs/7.tar>) = 0", "fdatasync(6) = -1 EIO (…)") for line in SMALL])


def test_calls_of_two_threads_that_overlap_are_put_together() -> None:
    calls = read('7 pwrite64(4</a>, "x", 1, 0 <unfinished ...>\n8 fsync(5</b>) = 0\n7 <... pwrite64 resumed>) = 1')
    assert [(call.name, call.file, call.began, call.ended) for call in calls] == [
        ("fsync", "/b", 1, 1),
        ("pwrite64", "/a", 0, 2),
    ]


def test_the_answer_to_a_question_is_no_reply_to_an_object() -> None:
    ready = read('1 sendto(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "HTTP/1.1 200 OK", 15, 0, NULL, 0) = 15')
    stored = read('1 sendto(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "HTTP/1.1 200 OK 00081199", 24, 0, NULL, 0) = 24')
    assert not http_reply(80)(ready[0])
    assert http_reply(80)(stored[0])
    assert not http_reply(81)(stored[0])
