"""Key images and presentation states kept from the viewer, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fileroom.viewer.links import viewer_path
from tests.peer.viewer.conftest import Archive
from tests.support.viewing import IMAGE_SECONDS, PANES, images_are_seen, measure

PATIENCE_MS = IMAGE_SECONDS * 1000


def test_a_view_and_a_key_image_are_kept_and_the_mark_is_taken_back(archive: Archive, page: Page) -> None:
    """The left CC is stored with rows and columns exchanged: the view has to say how it was brought upright."""
    server, study = archive.server, archive.prior
    page.goto(server.url + viewer_path([study], ["MG"]) + "&stageId=cc")
    images_are_seen(page, 2)
    page.locator(PANES).nth(1).click()  # the first click on a viewport makes it the active one, no more
    measure(page, 1)
    page.locator("[data-cy=SaveView] button").click()
    expect(page.get_by_text("as a presentation state in this study")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("[data-cy=KeyImage] button").click()
    page.get_by_label("Reason").select_option("For Conference")
    page.get_by_role("button", name="Mark", exact=True).click()
    expect(page.get_by_text("Marked “For Conference”")).to_be_visible(timeout=PATIENCE_MS)

    marks = server.get(f"/studies/{study}/look/marks", "application/json")
    assert [(one["meaning"], one["ours"]) for one in marks["keys"]] == [("For Conference", True)]
    (state,) = marks["states"]
    (image,) = state["images"]
    assert image == marks["keys"][0]["image"]
    series, uid = state["document"]
    at = f"/studies/{study}/look/series/{marks['keys'][0]['series']}/{image}/1/shown?of={series}&by={uid}"
    shown = server.get(at, "application/json")
    assert (shown["flipped"], shown["rotation"], shown["window"]) == (True, 90, [2048.0, 4096.0])
    (line,), (label,) = shown["graphics"], shown["labels"]
    assert (line["kind"], len(line["points"])) == ("POLYLINE", 2)
    # It was drawn 200 to the right and 40 down.
    (x, y), (to_x, to_y) = line["points"]
    assert to_y - y == pytest.approx(5 * (to_x - x), rel=0.1)
    assert to_y > y
    assert " mm" in label["text"]

    page.locator("[data-cy=KeyImage] button").click()
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("both stay stored")).to_be_visible(timeout=PATIENCE_MS)
    assert server.get(f"/studies/{study}/look/marks", "application/json")["keys"] == []
    kinds = [row["00080060"]["Value"][0] for row in server.get(f"/dicomweb/studies/{study}/series")]
    assert sorted(set(kinds)) == ["KO", "MG", "PR"]
    page.reload()  # OHIF does not apply the view: it says so, and where it is applied
    expect(page.get_by_text("This study has saved views")).to_be_visible(timeout=PATIENCE_MS)


@pytest.fixture
def rule(archive: Archive, page: Page) -> Any:
    """Call it with a function of static/keeping.js, and its arguments."""
    page.goto(archive.server.url + "/")
    script = "async ([name, values]) => (await import('/static/keeping.js'))[name](...values) ?? null"
    return lambda name, *values: page.evaluate(script, [name, values])


def test_where_the_viewport_s_corners_lie_says_how_an_image_is_placed(rule: Any) -> None:
    def placed(top_left: list[float], top_right: list[float], bottom_left: list[float]) -> Any:
        found = rule("placement", [top_left, top_right, bottom_left], 100, 80)
        return found and (found["area"], found["rotation"], found["flipped"])

    # Left, right, top and bottom of what is seen are columns 10 to 60 and rows 20 to 70.
    a, b, c, d = [10, 20], [60, 20], [60, 70], [10, 70]
    area = [11, 21, 60, 70]
    assert placed(a, b, d) == (area, 0, False)
    assert placed(d, a, c) == (area, 90, False)
    assert placed(c, d, b) == (area, 180, False)
    assert placed(b, c, a) == (area, 270, False)
    assert placed(b, a, c) == (area, 0, True)
    assert placed(a, d, b) == (area, 90, True)
    assert placed(d, c, a) == (area, 180, True)
    assert placed(c, b, d) == (area, 270, True)
    assert placed([-30.2, -5], [140, -5], [-30.2, 90]) == ([1, 1, 100, 80], 0, False)
    assert placed([0, 0], [50, 10], [-10, 50]) is None  # askew
    assert placed([200, 0], [300, 0], [200, 80]) is None  # out of sight


def test_measurements_become_what_a_presentation_state_can_draw(rule: Any) -> None:
    points = [[1, 2], [5, 2], [3, 0], [3, 9]]
    line = {"kind": "POLYLINE", "points": points[:2]}
    assert rule("drawn", "Length", points[:2], "4 mm") == [line, {"text": "4 mm", "points": [[5, 2]]}]
    assert rule("drawn", "ArrowAnnotate", points[:2], "")[0] == line
    assert rule("drawn", "Bidirectional", points, "") == [line, {"kind": "POLYLINE", "points": points[2:]}]
    assert rule("drawn", "EllipticalROI", points, "") == [{"kind": "ELLIPSE", "points": points[2:] + points[:2]}]
    assert rule("drawn", "CircleROI", points[:2], "") == [{"kind": "CIRCLE", "points": points[:2]}]
    corners = [[1, 0], [5, 0], [5, 9], [1, 9], [1, 0]]
    assert rule("drawn", "RectangleROI", points, "") == [{"kind": "POLYLINE", "points": corners}]
    assert rule("drawn", "PlanarFreehandROI", points, "")[0]["points"] == [*points, points[0]]
    assert rule("drawn", "Nothing we know", points, "x") == []
    assert rule("drawn", "Length", [], "x") == []


def test_a_window_is_kept_as_it_is_shown_also_a_narrow_one(rule: Any) -> None:
    assert rule("windowed", {"lower": -160, "upper": 239}, "LINEAR") == "40,400,linear"
    assert rule("windowed", {"lower": -160, "upper": 239}, "SIGMOID") == "40,400,sigmoid"
    assert rule("windowed", {"lower": -160, "upper": 240}, "LINEAR_EXACT") == "40,400,linear-exact"
    assert rule("windowed", {"lower": 0.0002, "upper": 0.0006}, None) == "0.0004,0.0004,linear-exact"
    assert rule("windowed", {"lower": 5, "upper": 5}, "LINEAR") == "5.5,1,linear"
