// A picture that cannot be had says so in words. Loaded before the page's own elements, so that none fails unseen.
"use strict";
document.addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLImageElement) || target.alt) return;
  target.alt = "No picture";
  target.dataset.missing = "yes"; // live.js leaves it so
}, true);
