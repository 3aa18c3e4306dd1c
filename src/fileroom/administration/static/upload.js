// Sends files one by one, a few at a time, and tells what became of each. One that fails stops nobody else.
"use strict";
(() => {
  const AT_ONCE = 3;
  const TRIES_MAX = 5; // again, of a file whose request came back without an answer, or with "busy"
  const WAIT_MS = 1000; // before the first of them, twice as long before each that follows
  const SHOWN_MAX = 500;
  const WORDS = { duplicate: "already here" };
  const $ = (id) => document.getElementById(id);
  const queue = [];
  const running = new Map(); // XMLHttpRequest to its item
  const failed = [];
  const problems = [];
  const studies = new Set();
  const counts = new Map();
  const shown = { studies: 0, problems: 0 }; // rows on the page: only what is new is added, however many files come
  let [files, done, bytes, doneBytes] = [0, 0, 0, 0];
  let stopped = false;
  let later = 0; // files that wait to be tried again: until then no other is begun

  const add = (file, name) => {
    queue.push({ file, name, tries: 0 });
    files += 1;
    bytes += file.size;
  };

  const begin = () => {
    stopped = false;
    $("stop").hidden = !queue.length;
    $("work").hidden = false;
    next();
    tell();
  };

  const next = () => {
    while (!stopped && !later && running.size < AT_ONCE && queue.length) send(queue.shift());
    $("stop").hidden = !running.size && !later;
    $("again").hidden = running.size > 0 || later > 0 || !failed.length;
  };

  const send = (item) => {
    const request = new XMLHttpRequest();
    running.set(request, { item, sent: 0 });
    request.upload.addEventListener("progress", (event) => { running.get(request).sent = event.loaded; soon(); });
    request.addEventListener("loadend", () => {
      running.delete(request);
      if ((request.status === 503 || !request.status) && !stopped && item.tries < TRIES_MAX) wait(item);
      else over(item, request.status === 200 ? () => took(JSON.parse(request.responseText)) : () => fail(item, why(request)));
    });
    request.open("POST", `/upload?name=${encodeURIComponent(item.name)}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.send(item.file);
  };

  const wait = async (item) => {
    later += 1;
    soon();
    const readable = await item.file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    if (readable) await new Promise((wake) => { setTimeout(wake, WAIT_MS * 2 ** item.tries); });
    later -= 1;
    item.tries += 1;
    if (stopped) over(item, () => fail(item, "stopped"));
    else if (!readable) over(item, () => fail(item, "the browser cannot read it any more"));
    else {
      queue.unshift(item);
      next();
    }
  };

  const over = (item, note) => {
    note();
    done += 1;
    doneBytes += item.file.size;
    next();
    if (running.size || later) soon();
    else tell();
  };

  const why = (request) => {
    if (stopped) return "stopped";
    try {
      const { error, hint } = JSON.parse(request.responseText);
      return hint ? `${error}. ${hint}` : error;
    } catch {
      return "the server does not answer";
    }
  };

  const fail = (item, reason) => {
    failed.push(item);
    problem(item.name, reason);
  };

  const problem = (name, why) => {
    problems.push({ name, outcome: "not sent", why });
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
    const count = `${done.toLocaleString("en")} of ${files.toLocaleString("en")} files`;
    $("line").textContent = later && !running.size ? `${count}: waiting for the server` : done < files ? count : stopped ? `${count}: stopped` : `${count}: done`;
    $("now").replaceChildren(...[...running.values()].map(({ item, sent: part }) => {
      const line = element("li", "");
      const percent = item.file.size ? Math.min(100, Math.floor((100 * part) / item.file.size)) : 100;
      line.append(element("bdi", item.name), ` ${percent} %`);
      return line;
    }));
    $("report").hidden = !done && !problems.length;
    $("counts").replaceChildren(...[...counts].map(([outcome, count]) => {
      const cell = document.createElement("div");
      cell.append(element("dt", WORDS[outcome] ?? outcome), element("dd", count.toLocaleString("en")));
      return cell;
    }));
    $("fine").hidden = problems.length > 0;
    $("problems").hidden = !problems.length;
    addRows($("studies"), "studies", [...studies].slice(shown.studies, SHOWN_MAX), (uid) => {
      const line = document.createElement("li");
      const link = element("a", uid);
      link.href = `/studies/${encodeURIComponent(uid)}`;
      line.append(link);
      return line;
    });
    addRows($("problems").tBodies[0], "problems", problems.slice(shown.problems, SHOWN_MAX), (one) => {
      const row = document.createElement("tr");
      row.append(...[one.name, one.outcome, one.why].map((text) => {
        const cell = document.createElement("td");
        cell.append(element("bdi", text));
        return cell;
      }));
      return row;
    });
    $("more-studies").textContent = left(studies.size, "studies");
    $("more-problems").textContent = left(problems.length, "files; the copied report has them all");
  };

  const addRows = (place, kind, some, make) => {
    shown[kind] += some.length;
    place.append(...some.map(make));
  };

  const left = (count, what) => (count > SHOWN_MAX ? `and ${(count - SHOWN_MAX).toLocaleString("en")} more ${what}` : "");

  const walk = async (entry, path) => {
    try {
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
    } catch (error) { // it was deleted or may not be read: the others go on
      problem(path + entry.name, `the browser cannot read it: ${error.message}`);
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
    shown.problems = 0;
    $("problems").tBodies[0].replaceChildren();
    failed.splice(0).forEach((item) => { item.tries = 0; queue.push(item); done -= 1; doneBytes -= item.file.size; });
    doneBytes = Math.max(0, doneBytes);
    begin();
  });
  $("copy").addEventListener("click", async () => {
    const lines = [...counts].map(([outcome, count]) => `${count} ${WORDS[outcome] ?? outcome}`);
    lines.push(...[...studies].map((uid) => `study\t${uid}`));
    lines.push(...problems.map((one) => `${one.outcome}\t${one.name}\t${one.why}`));
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      $("copied").textContent = "Copied.";
    } catch { // no clipboard without HTTPS, or it is not allowed: shown, marked, to be copied by hand
      $("text").hidden = false;
      $("text").value = lines.join("\n");
      $("text").select();
      $("copied").textContent = "The browser does not let pages copy: copy it from here.";
    }
  });
  window.addEventListener("beforeunload", (event) => { if (running.size) event.preventDefault(); });
})();
