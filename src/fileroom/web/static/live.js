// Keeps the part of a page that says data-live="ADDRESS" as new as the archive: asks for it again whenever the
// archive tells that studies changed.
"use strict";
(() => {
  const parts = document.querySelectorAll("[data-live]");
  if (!parts.length || !("EventSource" in window)) return;
  const GAP_MS = 3000; // between two refreshes: a page counts the whole archive, and arrivals come every second
  let asking = false;
  let again = false;
  const refresh = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      for (const part of parts) {
        const answer = await fetch(part.dataset.live, { headers: { accept: "text/html" } });
        if (answer.ok && !part.contains(document.activeElement)) {
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          part.replaceChildren(...page.body.childNodes);
        }
      }
    } catch {
      // the server is away: the next event comes when it is back
    }
    setTimeout(() => {
      asking = false;
      if (again) {
        again = false;
        refresh();
      }
    }, GAP_MS);
  };
  const source = new EventSource("/live");
  source.addEventListener("studies", refresh);
})();
