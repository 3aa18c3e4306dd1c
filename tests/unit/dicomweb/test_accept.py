"""Accept: media ranges, weights, quotes, several headers' worth in one, and nonsense."""

from __future__ import annotations

import contextlib
import time

import pytest

from fileroom import errors
from fileroom.dicomweb.accept import choose, choose_json, offers
from fileroom.web.http import Request
from tests.support.asking import NoBody


def _request(accept: str | None, query: str = "") -> Request:
    headers = {} if accept is None else {"accept": accept}
    return Request("GET", "/", query, headers, NoBody(), ("127.0.0.1", 1))


def test_offers_come_best_first_and_equals_as_given() -> None:
    found = offers(_request("a/b;q=0.5, c/d, e/f;q=0.7, g/h;q=1.0, i/j;q=0"))
    assert [offer.kind for offer in found] == ["c/d", "g/h", "e/f", "a/b"]


def test_parameters_may_be_quoted_and_hold_commas() -> None:
    (offer,) = offers(_request('Multipart/Related; Type="application/dicom"; transfer-syntax=*; x="a,b\\"c"'))
    assert (offer.kind, offer.inner, offer.transfer_syntax) == ("multipart/related", "application/dicom", "*")
    assert offer.parameters["x"] == 'a,b"c'


@pytest.mark.parametrize("accept", [None, "", " , "])
def test_nothing_said_is_everything_accepted(accept: str | None) -> None:
    assert [offer.kind for offer in offers(_request(accept))] == ["*/*"]


def test_the_query_stands_in_place_of_the_header() -> None:
    found = offers(_request("text/html", "accept=image/png;q=0.5&accept=image/jpeg"))
    assert [offer.kind for offer in found] == ["image/jpeg", "image/png"]


@pytest.mark.parametrize("accept", ["a", "a/b;q=2", "a/b;q=x", "a/b;q", "a/b; x=1; x=2"])
def test_nonsense_is_refused(accept: str) -> None:
    with pytest.raises(errors.BadRequest):
        offers(_request(accept))


def test_all_weights_zero_accept_nothing() -> None:
    with pytest.raises(errors.NotAcceptable):
        offers(_request("a/b;q=0"))


def test_what_is_served_is_named_when_nothing_fits() -> None:
    with pytest.raises(errors.NotAcceptable) as refused:
        choose(_request("a/b"), lambda offer: None, served=("c/d", "e/f"))
    assert refused.value.hint == "served: c/d, e/f"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/dicom+json"),
        ("application/*", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/json, application/dicom+json", "application/json"),
    ],
)
def test_json_is_chosen(accept: str | None, kind: str) -> None:
    assert choose_json(_request(accept)) == kind


@pytest.mark.parametrize("piece", [",", '"', '",', "a/b,", 'x="', '\\"', ";;", "=;"])
def test_a_hostile_header_costs_no_time(piece: str) -> None:
    begin = time.perf_counter()
    with contextlib.suppress(errors.BadRequest, errors.NotAcceptable):
        offers(_request(piece * (16_000 // len(piece))))
    assert time.perf_counter() - begin < 1
