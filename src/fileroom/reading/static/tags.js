// Narrows the elements to the lines that hold what is typed, and to the sequences these lie in.
"use strict";
(() => {
  const input = document.getElementById("find");
  const found = document.getElementById("found");
  const lines = [...document.querySelectorAll(".tags .line, .tags .item > summary")];
  const texts = lines.map((line) => line.textContent.toLowerCase());
  const folds = [...document.querySelectorAll(".tags details")];
  const parts = [...document.querySelectorAll("section.tags")];
  document.getElementById("filter").hidden = false;
  let soon = 0;
  const narrow = () => {
    const wanted = input.value.trim().toLowerCase();
    const shown = new Set();
    let count = 0;
    lines.forEach((line, at) => {
      const holds = wanted === "" || texts[at].includes(wanted);
      count += holds;
      if (line.localName !== "summary") line.hidden = !holds;
      if (holds && wanted !== "") {
        const heads = line.localName === "summary" ? line.parentElement : line;
        for (let fold = heads.closest("details"); fold && !shown.has(fold); fold = fold.parentElement.closest("details")) shown.add(fold);
      }
    });
    for (const fold of folds) {
      fold.hidden = wanted !== "" && !shown.has(fold);
      if (shown.has(fold)) fold.open = true;
    }
    for (const part of parts) part.hidden = wanted !== "" && !part.querySelector(".line:not([hidden])");
    found.textContent = wanted === "" ? "" : `${count} ${count === 1 ? "line" : "lines"}`;
  };
  input.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(narrow, 80);
  });
})();
