"""Signed notes and checkpoints, against the values that the reference implementation's documentation publishes."""

from __future__ import annotations

import base64

import pytest

from fileroom.audit.note import BadNote, Checkpoint, Signer, Verifier

# golang.org/x/mod/sumdb/note
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)  # fmt: skip
SIGNED = (
    f"{TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_note_is_signed_and_verified_byte_for_byte() -> None:
    signer = Signer.parse(SECRET)
    assert signer.sign(TEXT) == SIGNED
    assert signer.verifier == Verifier.parse(PUBLIC)
    assert (signer.text, signer.verifier.text) == (SECRET, PUBLIC)
    assert Verifier.parse(PUBLIC).check(SIGNED) == TEXT


def test_a_note_that_was_changed_or_signed_by_another_is_refused() -> None:
    verifier = Verifier.parse(PUBLIC)
    impostor = Signer.new("PeterNeumann")
    other = Signer.new("somebody")
    for note in (
        SIGNED.replace("problem", "question", 1),
        SIGNED.replace("x08go/ZJ", "x08go/ZK"),
        impostor.sign(TEXT),
        other.sign(TEXT),
        TEXT,
        "",
        SIGNED.rstrip("\n"),
        SIGNED.replace("— ", "- "),
        SIGNED.replace("x08go", "****"),
    ):
        with pytest.raises(BadNote):
            verifier.check(note)


def test_a_note_that_others_signed_too_is_verified() -> None:
    extra = Signer.new("witness.example").sign(TEXT).removeprefix(f"{TEXT}\n")
    assert Verifier.parse(PUBLIC).check(SIGNED + extra) == TEXT


def test_a_key_that_was_mangled_is_refused() -> None:
    for at in range(len(PUBLIC)):
        with pytest.raises(BadNote):
            Verifier.parse(PUBLIC[:at] + chr(ord(PUBLIC[at]) + 1) + PUBLIC[at + 1 :])
        with pytest.raises(BadNote):
            Verifier.parse(PUBLIC[:at])
    with pytest.raises(BadNote, match="damaged"):
        Signer.parse(SECRET.replace("AYEKF", "AYEKG"))
    for text in ("", "PRIVATE+KEY+", PUBLIC, "PRIVATE+KEY+a b+00+AA=="):
        with pytest.raises(BadNote):
            Signer.parse(text)
    with pytest.raises(BadNote, match="name"):
        Signer.new("with space")


def test_the_secret_is_not_shown_by_accident() -> None:
    signer = Signer.parse(SECRET)
    assert base64.b64encode(signer.secret).decode() not in repr(signer)
    assert repr(signer.secret) not in repr(signer)


def test_a_checkpoint_has_the_published_form() -> None:
    root = bytes(range(32))
    checkpoint = Checkpoint("example.com/ledger", 20852163, root)
    assert checkpoint.text == f"example.com/ledger\n20852163\n{base64.b64encode(root).decode()}\n"
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    assert Checkpoint.parse(checkpoint.text + "an extension\n") == checkpoint
    assert Checkpoint.unverified(Signer.new("example.com/ledger").sign(checkpoint.text)) == checkpoint


@pytest.mark.parametrize(
    "text",
    ["", "a\n", "a\n1\n", "a\n01\n{root}\n", "a\n-1\n{root}\n", "\n1\n{root}\n", "a\n1\nAA==\n", "a\n²\n{root}\n"],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text.replace("{root}", base64.b64encode(bytes(32)).decode()))
