"""The page of rules that forward what arrives: what each asks for, how often it applied, and what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fileroom import errors
from fileroom.archive.peers import Peers
from fileroom.routing.routing import Routing
from fileroom.routing.rules import BadRule, Rule, Wanted, in_words
from fileroom.routing.sends import OPEN
from fileroom.web.http import Request, Response, error_status
from fileroom.web.pages import NOT_SIGNED_IN, Pages, form, see_other
from fileroom.web.router import Router

_SAID = {
    "added": "It counts for what arrives from now on.",
    "saved": "What has not had its turn yet goes by it; nothing older is sent.",
    "stopped": "It forwards nothing more. What is queued is still sent.",
    "started": "It counts for what arrives from now on, not for what came while it was stopped.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as it stands in the form, perhaps not valid yet. Lists are words with commas between."""

    name: str = ""
    destination: str = ""
    modalities: str = ""
    sources: str = ""
    station: str = ""
    institution: str = ""
    description: str = ""
    enabled: bool = True
    key: int | None = None  # of the rule that is changed; None: a new one
    changed_ms: int = 0  # of that rule, as the form shows it

    @staticmethod
    def of(rule: Rule) -> Draft:
        wanted = rule.wanted
        return Draft(
            wanted.name,
            wanted.destination,
            ", ".join(wanted.modalities),
            ", ".join(wanted.sources),
            wanted.station,
            wanted.institution,
            wanted.description,
            rule.enabled,
            rule.id,
            rule.changed_ms,
        )

    @property
    def wanted(self) -> Wanted:
        """What the form asks for. `Rulebook` says what is wrong with it."""
        modalities, sources = (tuple(text.split(",")) for text in (self.modalities, self.sources))
        return Wanted(
            self.name, self.destination, modalities, sources, self.station, self.institution, self.description
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as the list shows it."""

    rule: Rule
    words: str  # what it asks for
    known: bool  # whether its destination is a peer
    waiting: int  # sends to its destination, by whomever
    failed: int
    trouble: str  # why the latest that waits did not arrive yet; "": nothing to say, or said in a line above


class ForwardPage:
    """The handlers under `/forward`."""

    def __init__(self, pages: Pages, routing: Routing, peers: Peers, quiet_seconds: float) -> None:
        """`quiet_seconds`: without a new object; then rules are applied to a series."""
        self._pages = pages
        self._routing = routing
        self._rules = routing.rules
        self._peers = peers
        self._quiet_seconds = quiet_seconds

    def add_routes(self, router: Router) -> None:
        """Have the router send everything about rules here."""
        router.add("GET", "/forward", self.page)
        router.add("POST", "/forward", self.add)
        router.add("GET", "/forward/{rule}", self.edit)
        router.add("POST", "/forward/{rule}", self.change)
        router.add("POST", "/forward/{rule}/stop", self.stop)
        router.add("POST", "/forward/{rule}/start", self.start)
        router.add("POST", "/forward/{rule}/remove", self.remove)

    def page(self, request: Request) -> Response:
        """Every rule, and a form for another. Raises BadRequest, DatabaseUnavailable."""
        return self._page(request, draft=Draft(), **self._said(request))

    def edit(self, request: Request) -> Response:
        """The same page with one rule in the form. Raises NotFound."""
        return self._page(request, draft=Draft.of(self._rule(request)))

    def add(self, request: Request) -> Response:
        """Make a rule. What is wrong is said beside the fields, which keep what was typed."""
        fields = form(request)
        draft = _draft(fields)
        return self._kept(
            request, draft, "added", lambda: self._rules.add(draft.wanted, enabled=draft.enabled, by=NOT_SIGNED_IN)
        )

    def change(self, request: Request) -> Response:
        """Ask for something else. Raises NotFound; when somebody changed it meanwhile, the page says so."""
        rule, fields = self._rule(request), form(request)
        draft = _draft(fields, rule)
        text = fields.get("seen", "")
        seen = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0  # 0: of no rule
        return self._kept(
            request, draft, "saved", lambda: self._rules.change(rule.id, draft.wanted, seen_ms=seen, by=NOT_SIGNED_IN)
        )

    def stop(self, request: Request) -> Response:
        """Forward nothing more by a rule. Raises NotFound."""
        form(request)
        return _told("stopped", self._rules.disable(self._rule(request).id, NOT_SIGNED_IN))

    def start(self, request: Request) -> Response:
        """Forward by it again, from now on. Raises NotFound."""
        form(request)
        return _told("started", self._rules.enable(self._rule(request).id, NOT_SIGNED_IN))

    def remove(self, request: Request) -> Response:
        """Forget a rule; what is queued is still sent. Raises NotFound."""
        form(request)
        rule = self._rule(request)
        self._rules.remove(rule.id, NOT_SIGNED_IN)
        return self._page(request, draft=Draft(), removed=Draft.of(rule))

    def _kept(self, request: Request, draft: Draft, what: str, act: Callable[[], Rule]) -> Response:
        try:
            return _told(what, act())
        except BadRule as error:
            wrong = {field: text.partition(": ")[2] for field, text in error.problems.items()}
            return self._page(request, draft=draft, wrong=wrong, status=400)
        except errors.Superseded as error:
            draft = Draft.of(self._rule(request))
            return self._page(request, draft=draft, wrong={"": f"{error}; {error.hint}"}, status=error_status(error))

    def _rule(self, request: Request) -> Rule:
        return self._rules.get(_number(request.params["rule"]))

    def _said(self, request: Request) -> dict[str, Any]:
        """What the page was sent to say about which rule. Raises BadRequest."""
        for what, key in request.args():
            if what in _SAID:
                rule = next((one for one in self._rules.all() if str(one.id) == key), None)
                return {"said": _SAID[what], "about": rule}
        return {}

    def _page(self, request: Request, *, status: int = 200, draft: Draft, **more: Any) -> Response:
        peers = [peer.ae_title for peer in self._peers.all()]
        values: dict[str, Any] = {"wrong": {}, "removed": None, "said": "", "about": None, **more}
        return self._pages.page(
            request,
            "administration/forward.html",
            status=status,
            lines=self._lines(peers),
            peers=peers,
            draft=draft,
            quiet_seconds=self._quiet_seconds,
            **values,
        )

    def _lines(self, peers: list[str]) -> list[Line]:
        rules, unfinished = self._rules.all(), self._routing.unfinished()
        troubles = {to: self._trouble(to) for to in {one.wanted.destination for one in rules} if to in unfinished}
        lines = []
        for rule in rules:
            to = rule.wanted.destination
            left = unfinished.get(to)
            waiting, failed = (left.waiting, left.failed) if left else (0, 0)
            trouble = troubles.pop(to, "")  # said once for each peer
            lines.append(Line(rule, in_words(rule.wanted), to in peers, waiting, failed, trouble))
        return lines

    def _trouble(self, destination: str) -> str:
        found = self._routing.sends(states=OPEN, destination=destination, limit=1)
        return (found[0].last_error or "") if found else ""


def _told(what: str, rule: Rule) -> Response:
    return see_other(f"/forward?{what}={rule.id}")


def _draft(fields: Mapping[str, str], rule: Rule | None = None) -> Draft:
    def typed(name: str) -> str:
        return fields.get(name, "").strip()

    return Draft(
        name=typed("name"),
        destination=typed("destination"),
        modalities=typed("modalities"),
        sources=typed("sources"),
        station=typed("station"),
        institution=typed("institution"),
        description=typed("description"),
        enabled=fields.get("stopped") != "1" if rule is None else rule.enabled,
        key=None if rule is None else rule.id,
        changed_ms=0 if rule is None else rule.changed_ms,
    )


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise errors.NotFound("no such rule", hint="the list has those that are here: /forward")
    return int(text)
