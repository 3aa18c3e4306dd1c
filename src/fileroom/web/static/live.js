// Keeps the parts of a page that say data-live="ADDRESS" as new as the archive: asks for them again whenever the
// archive tells that studies changed, and in data-again="MS" when something in them says so. What did not change stays
// in place: no picture is loaded again, and focus, selection and what is typed are not lost.
"use strict";
(() => {
  const parts = [...document.querySelectorAll("[data-live]")];
  if (!parts.length) return;
  const GAP_MS = 3000; // between two refreshes: arrivals come every second
  const KEPT = ["open", "data-missing"]; // what a person opened, and which pictures cannot be had
  const timers = new Map(); // part to when it is asked for again

  const key = (node) => node.id || node.dataset?.key || node.getAttribute?.("src") || "";

  // Gives `old` the children of `fresh`, out of its own ones where they are the same kind of thing under the same key.
  const merge = (old, fresh) => {
    const keyed = new Map([...old.children].map((one) => [key(one), one]));
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const name = key(wanted);
      let found = name ? keyed.get(name) : at;
      while (!name && found && (key(found) || found.nodeName !== wanted.nodeName)) found = found.nextSibling;
      if (found?.nodeName !== wanted.nodeName || found.parentNode !== old) {
        old.insertBefore(wanted, at);
        continue;
      }
      if (found === at) at = at.nextSibling;
      else old.insertBefore(found, at);
      if (found.nodeType !== Node.ELEMENT_NODE) {
        if (found.data !== wanted.data) found.data = wanted.data;
        continue;
      }
      for (const { name: one } of [...found.attributes]) {
        if (!wanted.hasAttribute(one) && !KEPT.includes(one)) found.removeAttribute(one);
      }
      for (const { name: one, value } of wanted.attributes) {
        if (one === "alt" && found.dataset.missing) continue; // it says that there is none
        if (found.getAttribute(one) !== value) found.setAttribute(one, value);
      }
      merge(found, wanted);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  };

  const later = (part) => {
    clearTimeout(timers.get(part));
    const soon = part.querySelector("[data-again]")?.dataset.again;
    if (soon) timers.set(part, setTimeout(renew, Number(soon), part));
  };

  const renew = async (part) => {
    try {
      const answer = await fetch(part.dataset.live, { headers: { accept: "text/html" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const on = document.activeElement;
        merge(part, page.body);
        if (on !== document.activeElement && part.contains(on)) on.focus({ preventScroll: true }); // it was moved
      }
    } catch {
      // the server is away: the next event comes when it is back
    }
    later(part);
  };

  let asking = false;
  let again = false;
  const refresh = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    for (const part of parts) await renew(part);
    setTimeout(() => {
      asking = false;
      if (again) {
        again = false;
        refresh();
      }
    }, GAP_MS);
  };
  parts.forEach(later);
  new EventSource("/live").addEventListener("studies", refresh);
})();
