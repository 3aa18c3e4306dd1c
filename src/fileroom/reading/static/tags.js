// Narrows the list of elements to the lines that hold what is typed.
"use strict";
(() => {
  const box = document.getElementById("filter");
  const input = document.getElementById("find");
  const lines = [...document.querySelectorAll("table.tags tbody tr")];
  const texts = lines.map((line) => line.textContent.toLowerCase());
  box.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    lines.forEach((line, at) => { line.hidden = wanted !== "" && !texts[at].includes(wanted); });
  });
})();
