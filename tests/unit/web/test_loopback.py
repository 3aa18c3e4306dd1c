"""Only this machine is served: not a proxy's clients, not a page whose name was pointed here."""

import pytest

from fileroom import errors
from fileroom.settings import is_loopback_address
from fileroom.web.body import NO_BODY
from fileroom.web.http import Request, Response
from fileroom.web.loopback import LoopbackOnly


def ask(client: str = "127.0.0.1", **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request("GET", "/", "", {"host": "localhost:8080", **names}, NO_BODY, (client, 5))
    return LoopbackOnly(lambda _: Response.text("in"))(request)


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:1", "127.8.9.255:65535", "[::1]", "[::1]:8080"]
)
def test_this_machine_by_any_of_its_names_is_served(host: str) -> None:
    assert ask(host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.256",
        "127.1",
        "0.0.0.0",
        "[::]",
        "[::1].evil.example",
        "192.168.1.5",
        "localhost:8080@evil.example",
        "localhost:808080",
        "localhost\n",
        "xn--localhost",
        "2130706433",
        "１27.0.0.1",
    ],
)
def test_a_name_that_was_pointed_here_is_refused(host: str) -> None:
    with pytest.raises(errors.Forbidden, match="Host"):
        ask(host=host)


def test_a_request_without_host_is_refused() -> None:
    request = Request("GET", "/", "", {}, NO_BODY, ("127.0.0.1", 5))
    with pytest.raises(errors.Forbidden):
        LoopbackOnly(lambda _: Response())(request)


@pytest.mark.parametrize(
    "header",
    [
        "forwarded",
        "via",
        "x_real_ip",
        "x_forwarded_for",
        "x_forwarded_host",
        "x_forwarded_proto",
        "x_forwarded_anything",
        "x_client_ip",
        "true_client_ip",
        "cf_connecting_ip",
        "x_original_host",
        "x_envoy_external_address",
        "x_arr_log_id",
    ],
)
def test_what_came_through_a_proxy_is_refused_even_when_it_says_loopback(header: str) -> None:
    with pytest.raises(errors.Forbidden, match="proxy"):
        ask(**{header: "127.0.0.1"})


@pytest.mark.parametrize("client", ["10.0.0.7", "192.168.1.5", "::2", "fe80::1", "::ffff:10.0.0.7", "", "localhost"])
def test_another_machine_is_refused(client: str) -> None:
    with pytest.raises(errors.Forbidden, match="another machine"):
        ask(client)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"])
def test_loopback_addresses(address: str) -> None:
    assert is_loopback_address(address)


def test_the_refusal_says_what_to_do() -> None:
    with pytest.raises(errors.Forbidden) as caught:
        ask("10.0.0.7")
    assert "sign-in" in caught.value.hint
