// Light or dark: what the machine says, unless the person chose. Kept in this browser.
"use strict";
(() => {
  const names = { auto: "Theme: as the machine", light: "Theme: light", dark: "Theme: dark" };
  const order = ["auto", "dark", "light"];
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("theme") ?? "auto";
  } catch {
    // storage is shut off: the machine's choice stands
  }
  if (!order.includes(chosen)) chosen = "auto";
  const apply = () => {
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const show = () => { button.textContent = names[chosen]; };
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      chosen = order[(order.indexOf(chosen) + 1) % order.length];
      try {
        localStorage.setItem("theme", chosen);
      } catch {
        // for this page only, then
      }
      apply();
      show();
    });
  });
})();
