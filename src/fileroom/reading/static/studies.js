// The study list by keyboard: / goes to the search, arrows go from study to study, Enter opens. And a line that tells
// of arrivals, so that nothing moves under the reader's eyes.
"use strict";
(() => {
  const links = () => [...document.querySelectorAll("#studies tbody a[href^='/studies/']")];
  const typing = (element) => element instanceof HTMLInputElement || element instanceof HTMLSelectElement;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.getElementById("q");
    if (event.key === "/" && !typing(document.activeElement)) {
      event.preventDefault();
      search.focus();
      search.select();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    if (typing(document.activeElement) && document.activeElement !== search) return;
    const all = links();
    const at = all.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    if (next < 0) search.focus();
    else all[Math.min(next, all.length - 1)]?.focus();
    event.preventDefault();
  });
  document.addEventListener("focusin", () => {
    document.querySelector("#studies tr.at")?.classList.remove("at");
    document.activeElement.closest?.("#studies tbody tr")?.classList.add("at");
  });
  if ("EventSource" in window) {
    const source = new EventSource("/live");
    source.addEventListener("studies", () => {
      const news = document.getElementById("news");
      news.hidden = false;
      news.firstElementChild.href = location.href;
    });
  }
})();
