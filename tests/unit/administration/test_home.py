"""The page at `/` says what is here, teaches when nothing is, and lets nobody's text become markup."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from fileroom import errors
from fileroom.administration.demonstration import Demo, DemonstrationPart, DemoState, TakenOut
from fileroom.administration.home import Facts, Home
from fileroom.archive.totals import Totals
from fileroom.web.assets import Assets
from fileroom.web.body import NO_BODY
from fileroom.web.http import Request
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from fileroom.web.texts import size_text

TOTALS = Totals(2, 3, 4, 1234, 5_600_000_000)
FACTS = Facts("http://127.0.0.1:8080", "127.0.0.1", 11112, "FILEROOM", TOTALS, 0, 10**12, 1, ())
PAGES = Pages(("web", "administration"), "0.1")


EMPTY = DemoState(True, False, 0, 0, 0, 0, 0)


def page(facts: Facts, state: DemoState = EMPTY, query: str = "") -> str:
    router = Router()
    demo = Demo(lambda: state, lambda: True, lambda: TakenOut(3, 1))
    Home(PAGES, lambda: facts, DemonstrationPart(PAGES, demo)).add_routes(router)
    response = router(Request("GET", "/", query, {}, NO_BODY, ("127.0.0.1", 1)))
    policy = dict(response.headers)["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    (part,) = response.parts
    assert isinstance(part, bytes)
    return part.decode()


def test_counts_addresses_and_commands_are_there() -> None:
    text = page(FACTS)
    assert "1,234" in text
    assert "5.6 GB" in text
    assert "storescu -aec FILEROOM +sd +r 127.0.0.1 11112 FOLDER" in text
    assert "--data-binary @FILE http://127.0.0.1:8080/dicomweb/studies" in text
    assert "Nothing yet" not in text


def test_an_empty_archive_teaches() -> None:
    assert "Send a first study" in page(replace(FACTS, totals=replace(TOTALS, instances=0)))


def test_the_demonstration_is_offered_where_nothing_is_and_nowhere_else() -> None:
    assert "Load the demonstration" in page(FACTS, EMPTY)
    text = page(FACTS, replace(EMPTY, empty=False))
    assert "Demonstration" not in text
    assert "the demonstration" not in text


def test_while_it_is_loaded_the_page_says_how_far_it_is_and_asks_again() -> None:
    text = page(FACTS, replace(EMPTY, loading=True, objects=7, objects_total=70, loaded_bytes=5_000_000))
    assert "7 of 70 objects, 5 MB" in text
    assert 'data-again="1000"' in text
    assert "data-again" not in page(FACTS)
    assert "Making ready" in page(FACTS, replace(EMPTY, loading=True))


def test_what_is_loaded_can_be_taken_out_and_what_became_of_it_is_said() -> None:
    text = page(FACTS, replace(EMPTY, empty=False, studies=14, size_bytes=5_000_000))
    assert "The 14 studies of the demonstration, 5 MB, are to go." in text
    assert "Taken out" not in text.split("<details")[0]
    said = page(FACTS, EMPTY, "out=14&hidden=1")
    assert "Taken out: 14 studies of the demonstration. 1 is hidden instead" in said
    assert "Taken out" not in page(FACTS, EMPTY, "out=-1&hidden=<b>")


def test_why_loading_failed_is_said_and_it_can_go_on() -> None:
    text = page(FACTS, replace(EMPTY, empty=False, error="no <room>", hint="free disk space"))
    assert "not loaded whole: no &lt;room&gt;." in text
    assert "What to do: free disk space." in text
    assert "Load the demonstration" in text


def test_held_objects_are_pointed_at() -> None:
    assert "1 object waits" in page(replace(FACTS, waiting=1))
    assert "2 objects wait" in page(replace(FACTS, waiting=2))
    assert "wait" not in page(FACTS)


def test_text_is_escaped() -> None:
    text = page(replace(FACTS, ae_title="<script>&\"'"))
    assert "<script>" not in text
    assert "&lt;script&gt;&amp;" in text


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    text = page(FACTS)
    assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son\w+=", text)
    links = re.findall(r"(?:href|src)=\"([^\"]*)\"", text)
    assert links
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links)


def test_headings_do_not_skip_a_level() -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", page(FACTS))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_assets_have_a_validator_and_nothing_outside_their_folder_is_served() -> None:
    assets = Assets()

    def ask(name: str, **headers: str) -> tuple[int, dict[str, str]]:
        names = {key.replace("_", "-"): value for key, value in headers.items()}
        response = assets(Request("GET", "/", "", names, NO_BODY, ("127.0.0.1", 1), {"name": name}))
        return response.status, dict(response.headers)

    status, headers = ask("fileroom.css")
    assert (status, headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert ask("fileroom.css", if_none_match=f'"x", {headers["etag"]}')[0] == 304
    for name in ("../home.py", "home.html", "", ".", "/etc/passwd"):
        with pytest.raises(errors.NotFound):
            ask(name)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_600, "1 MB"),
        (10**19, "10,000.0 PB"),
    ],
)
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert size_text(size) == text
