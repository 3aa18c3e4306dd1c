// Sends files one by one, a few at a time, and tells what became of each. One that fails stops nobody else.
"use strict";
(() => {
  const AT_ONCE = 3;
  const SHOWN_MAX = 500;
  const $ = (id) => document.getElementById(id);
  const queue = [];
  const running = new Map(); // XMLHttpRequest to its item
  const failed = [];
  const problems = [];
  const studies = new Set();
  const counts = new Map();
  let [files, done, bytes, doneBytes] = [0, 0, 0, 0];
  let stopped = false;

  const add = (file, name) => {
    queue.push({ file, name });
    files += 1;
    bytes += file.size;
  };

  const begin = () => {
    if (!queue.length) return;
    stopped = false;
    $("stop").hidden = false;
    $("work").hidden = false;
    tell();
    next();
  };

  const next = () => {
    while (!stopped && running.size < AT_ONCE && queue.length) send(queue.shift());
    if (!running.size) {
      $("stop").hidden = true;
      $("again").hidden = !failed.length;
    }
  };

  const send = (item) => {
    const request = new XMLHttpRequest();
    running.set(request, { item, sent: 0 });
    request.upload.addEventListener("progress", (event) => { running.get(request).sent = event.loaded; soon(); });
    request.addEventListener("loadend", () => {
      running.delete(request);
      if (request.status === 200) took(JSON.parse(request.responseText));
      else fail(item, why(request));
      done += 1;
      doneBytes += item.file.size;
      tell();
      next();
    });
    request.open("POST", `/upload?name=${encodeURIComponent(item.name)}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.send(item.file);
  };

  const why = (request) => {
    if (stopped) return "stopped";
    try {
      const { error, hint } = JSON.parse(request.responseText);
      return hint ? `${error}. ${hint}` : error;
    } catch {
      return "the server could not be reached, or the file could not be read";
    }
  };

  const fail = (item, reason) => {
    failed.push(item);
    problems.push({ name: item.name, outcome: "not sent", why: reason });
    counts.set("not sent", (counts.get("not sent") ?? 0) + 1);
  };

  const took = (answer) => {
    for (const [outcome, count] of Object.entries(answer.counts)) counts.set(outcome, (counts.get(outcome) ?? 0) + count);
    answer.studies.forEach((uid) => studies.add(uid));
    problems.push(...answer.problems);
    if (answer.problems_left_out) problems.push({ name: answer.name, outcome: "more", why: `and ${answer.problems_left_out} more in this file` });
  };

  let waiting = 0;
  const soon = () => {
    if (!waiting) waiting = setTimeout(() => { waiting = 0; tell(); }, 200);
  };

  const element = (kind, text) => {
    const made = document.createElement(kind);
    made.textContent = text;
    return made;
  };

  const tell = () => {
    const sent = [...running.values()].reduce((sum, one) => sum + one.sent, doneBytes);
    $("bar").value = bytes ? Math.min(1, sent / bytes) : 1;
    const over = done === files && !queue.length;
    $("line").textContent = over ? `${done} of ${files} files: done` : stopped && !running.size ? `Stopped after ${done} of ${files} files` : `${done} of ${files} files`;
    $("now").replaceChildren(...[...running.values()].map((one) => element("li", one.item.name)));
    $("report").hidden = !done;
    $("counts").replaceChildren(...[...counts].map(([outcome, count]) => {
      const cell = document.createElement("div");
      cell.append(element("dt", outcome), element("dd", count.toLocaleString("en")));
      return cell;
    }));
    $("studies").replaceChildren(...[...studies].slice(0, SHOWN_MAX).map((uid) => {
      const line = document.createElement("li");
      const link = element("a", uid);
      link.href = `/studies/${encodeURIComponent(uid)}`;
      line.append(link);
      return line;
    }));
    $("fine").hidden = problems.length > 0;
    $("problems").hidden = !problems.length;
    $("problems").tBodies[0].replaceChildren(...problems.slice(0, SHOWN_MAX).map((one) => {
      const row = document.createElement("tr");
      row.append(...[one.name, one.outcome, one.why].map((text) => { const cell = document.createElement("td"); cell.append(element("bdi", text)); return cell; }));
      return row;
    }));
  };

  const walk = async (entry, path) => {
    if (entry.isFile) {
      const file = await new Promise((good, bad) => { entry.file(good, bad); });
      add(file, path + file.name);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((good, bad) => { reader.readEntries(good, bad); });
      if (!some.length) return;
      for (const one of some) await walk(one, `${path}${entry.name}/`);
    }
  };

  const drop = $("drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const loose = entries.length ? [] : [...event.dataTransfer.files];
    loose.forEach((file) => add(file, file.name));
    for (const entry of entries) await walk(entry, "");
    begin();
  });
  for (const id of ["files", "folder"]) {
    $(id).addEventListener("change", (event) => {
      [...event.target.files].forEach((file) => add(file, file.webkitRelativePath || file.name));
      event.target.value = "";
      begin();
    });
  }
  $("stop").addEventListener("click", () => {
    stopped = true;
    queue.splice(0).forEach((item) => { fail(item, "stopped"); done += 1; });
    [...running.keys()].forEach((request) => request.abort());
    tell();
  });
  $("again").addEventListener("click", () => {
    for (let at = problems.length - 1; at >= 0; at--) if (problems[at].outcome === "not sent") problems.splice(at, 1);
    counts.delete("not sent");
    failed.splice(0).forEach((item) => { queue.push(item); done -= 1; doneBytes -= item.file.size; });
    doneBytes = Math.max(0, doneBytes);
    begin();
  });
  $("copy").addEventListener("click", async () => {
    const lines = [...counts].map(([outcome, count]) => `${count} ${outcome}`).concat(problems.map((one) => `${one.outcome}\t${one.name}\t${one.why}`));
    await navigator.clipboard?.writeText(lines.join("\n"));
    $("copy").textContent = "Copied";
  });
  window.addEventListener("beforeunload", (event) => { if (running.size) event.preventDefault(); });
})();
