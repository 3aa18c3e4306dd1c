// Quick look: scrolls through the pictures of a series as the server renders them. Only what is near is fetched, and
// given up when it is passed by; a picture is shown only under its own number.
"use strict";
(() => {
  const root = document.getElementById("look");
  if (!root) return;
  const $ = (id) => document.getElementById(id);
  const [stage, canvas, trouble, slider] = [$("stage"), $("picture"), $("trouble"), $("slider")];
  const buttons = [...root.querySelectorAll("[data-series]")];
  const PRESETS = { CT: { "Soft tissue": [40, 400], Lung: [-600, 1500], Bone: [400, 1800], Brain: [40, 80] } };
  const NEAR = 5;
  const FETCHES_MAX = 3;
  const KEPT_BYTES_MAX = 96e6;
  const AGAIN_MS = 1500;
  let objects = []; // [UID, frames, number, rows, columns]
  let frames = []; // [place in objects, frame from 1]
  let series = "";
  let listed = ""; // the series whose objects these are
  let at = 0;
  let way = 1; // the direction of the last move
  let chosen = null; // [center, width]; null: each image's own
  let drawn = "";
  let middle = false; // show the middle of the next picture, which is larger than its frame
  let timer = 0;
  const kept = new Map(); // address to Blob, or to the text of what is wrong with it; the latest used last
  let keptBytes = 0;
  const running = new Map(); // address to AbortController
  const infos = new Map(); // UID to {window, own, rate}
  let byHand = null; // {area, rotation, flipped} that was set by hand; null: the presentation state's, or none
  let placed = null; // the matrix from the image's pixels to the canvas's
  const used = new Map(); // UID and frame to the presentation state that was chosen, or null: as sent
  const showns = new Map(); // address of how a state shows a frame to what it says, or null while it is asked for
  const SENT = { rotation: 0, flipped: false, graphics: [], labels: [], lacks: [] };
  const marks = window.lookMarks(root.dataset.at, () => marked());
  const ready = marks.load().then((known) => { // nothing is shown before it is known how
    if (!known) $("told").textContent = "Which images are marked is not known: the server did not answer.";
  });

  const seriesAt = () => `/studies/${root.dataset.study}/series/${series}/instances/`;
  const info = (place) => infos.get(objects[frames[place][0]][0]);
  const place = (uid, frame) => frames.findIndex(([object, one]) => objects[object][0] === uid && one === frame);

  // The presentation state of an image: the latest, unless another or none was chosen. Once seen, it stays.
  const state = (where) => {
    const [uid, frame] = named(where);
    const name = `${uid} ${frame}`;
    if (!used.has(name)) used.set(name, marks.states(uid, frame)[0] ?? null);
    return used.get(name);
  };
  const named = (where) => [objects[frames[where][0]][0], frames[where][1]];
  const size = (where) => ({ rows: objects[frames[where][0]][3], columns: objects[frames[where][0]][4] });
  const stateAt = (where, what) => {
    const [uid, frame] = named(where);
    const [of, by] = state(where).document.map(encodeURIComponent);
    return `${root.dataset.at}/look/series/${series}/${uid}/${frame}/${what}?of=${of}&by=${by}`;
  };
  const shown = (where) => (state(where) ? showns.get(stateAt(where, "shown")) : SENT);
  const view = (where) => {
    const { rows, columns } = size(where);
    const area = byHand?.of === `${columns} ${rows}` ? byHand.area : null;
    return { ...(shown(where) ?? SENT), ...(byHand && { ...byHand, area }) };
  };

  const address = (where) => {
    const [object, frame] = frames[where];
    const [uid, , , rows, columns] = objects[object];
    const look = [];
    if (chosen) look.push(`window=${chosen.map((one) => +one.toFixed(1)).join()},linear`);
    if (!stage.classList.contains("actual") && !view(where).area) {
      const [width, height] = [stage.clientWidth, stage.clientHeight].map((one) => Math.ceil((one * devicePixelRatio) / 256) * 256);
      if (columns > width || rows > height) look.push(`viewport=${width},${height}`);
    }
    if (state(where)) return [stateAt(where, "picture"), ...look].join("&");
    return `/dicomweb${seriesAt()}${uid}/frames/${frame}/rendered${look.length ? `?${look.join("&")}` : ""}`;
  };

  const keep = (url, content) => {
    kept.set(url, content);
    keptBytes += content.size ?? 0;
    for (const [old, gone] of kept) {
      if (keptBytes <= KEPT_BYTES_MAX) break;
      kept.delete(old);
      keptBytes -= gone.size ?? 0;
    }
  };

  const get = async (url) => {
    const giveUp = new AbortController();
    running.set(url, giveUp);
    let wait = 0;
    try {
      const answer = await fetch(url, { headers: { accept: "image/jpeg" }, signal: giveUp.signal });
      if (answer.ok) keep(url, await answer.blob());
      else if (answer.status === 503) wait = AGAIN_MS;
      else keep(url, (await answer.json().catch(() => ({}))).error ?? `the server answered ${answer.status}`);
    } catch (error) {
      if (error.name !== "AbortError") wait = AGAIN_MS;
    }
    running.delete(url);
    if (wait && frames[at] && url === address(at)) say("The server is busy or away; asking again.");
    if (wait) setTimeout(fill, wait);
    else fill();
  };

  // Draws what is wanted if it is here, and asks for it and its neighbours if they are not.
  const fill = () => {
    if (!frames.length) return;
    draw();
    const order = [at];
    for (let step = 1; step <= NEAR; step++) order.push(at + step * way, ...(step <= 2 ? [at - step * way] : []));
    const near = order.filter((one) => frames[one]).map(address);
    for (const [url, giveUp] of running) if (!near.includes(url)) giveUp.abort();
    for (const url of near) {
      if (running.size >= FETCHES_MAX) break;
      if (!kept.has(url) && !running.has(url)) get(url);
    }
  };

  const say = (text) => {
    trouble.hidden = !text;
    trouble.textContent = text;
  };

  // What a presentation state says of a frame, asked for once.
  const learnShown = async (where) => {
    const url = state(where) && stateAt(where, "shown");
    if (!url || showns.has(url)) return;
    showns.set(url, null);
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) showns.set(url, await answer.json());
    else if (answer && answer.status < 500) showns.set(url, { ...SENT, lacks: ["the presentation state, which cannot be read"] });
    else setTimeout(() => { showns.delete(url); fill(); }, AGAIN_MS);
    fill();
    label();
  };

  const draw = async () => {
    const url = address(at);
    const content = kept.get(url);
    const how = `${url} ${JSON.stringify(byHand)}`;
    learnShown(at);
    stage.classList.toggle("waiting", drawn !== how && typeof content !== "string");
    if (content === undefined || drawn === how) return;
    if (typeof content !== "string" && !shown(at)) return;
    kept.delete(url);
    kept.set(url, content);
    const name = `${$("place").textContent} (${$("which").textContent})`;
    if (typeof content === "string") {
      const others = frames.length > 1 ? " The other images can be looked at." : "";
      return broken(how, `${name} cannot be shown: ${content}.${others}`);
    }
    const bitmap = await createImageBitmap(content).catch(() => null);
    if (address(at) !== url || !shown(at)) return;
    if (!bitmap) return broken(how, `${name} cannot be shown: what the server sent is no picture.`);
    placed = window.lookDraw(canvas, bitmap, size(at), view(at), shown(at));
    canvas.style.width = stage.classList.contains("actual") ? `${canvas.width / devicePixelRatio}px` : "";
    bitmap.close();
    orient(view(at));
    if (middle) stage.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
    middle = false;
    finish(`${url} ${JSON.stringify(byHand)}`, "", false);
  };
  // What is not shown as it was sent says so on the image: a mirrored breast looks like the other one.
  const orient = ({ rotation, flipped }) => {
    const said = [flipped && "flipped", rotation && `turned ${rotation}°`].filter(Boolean).join(", ");
    $("turned").textContent = said && `Shown ${said}`;
    $("turned").hidden = !said;
    $("flip").setAttribute("aria-pressed", String(Boolean(flipped)));
  };
  const broken = (how, text) => finish(how, text, true);
  const finish = (how, text, hidden) => {
    drawn = how;
    canvas.hidden = hidden;
    canvas.dataset.at = String(at + 1);
    say(text);
    stage.classList.remove("waiting");
  };

  let asking = 0;
  const learn = async () => {
    const uid = objects[frames[at][0]][0];
    if (!infos.has(uid)) {
      const answer = await fetch(`${root.dataset.at}/look/series/${series}/${uid}`).catch(() => null);
      if (!answer?.ok) return;
      infos.set(uid, await answer.json());
    }
    label();
  };

  const label = () => {
    const known = info(at);
    const said = chosen ?? (state(at) ? shown(at)?.window : known?.own ? known.window : null);
    $("window").textContent = said ? `C ${Math.round(said[0])} W ${Math.round(said[1])}` : "Own window";
    marked();
    if (known?.rate && !$("rate").dataset.typed) $("rate").value = String(known.rate);
  };

  const show = (where) => {
    if (!frames.length) return;
    const next = Math.max(0, Math.min(frames.length - 1, where));
    if (next !== at) {
      way = next > at ? 1 : -1;
      $("told").textContent = "";
    }
    at = next;
    const [object, frame] = frames[at];
    const [, count, number] = objects[object];
    slider.value = String(at + 1);
    $("place").textContent = `${$("only").checked ? "Key image" : "Image"} ${at + 1} of ${frames.length}`;
    $("which").textContent = `No. ${number ?? "–"}${count > 1 ? `, frame ${frame} of ${count}` : ""}`;
    label();
    draw();
    clearTimeout(asking);
    asking = setTimeout(() => {
      fill();
      learn();
      const window = chosen ? `&window=${chosen.map((one) => one.toFixed(1)).join()}` : "";
      history.replaceState(null, "", `#series=${series}&at=${at + 1}${window}${$("only").checked ? "&keys=1" : ""}`);
    }, kept.has(address(at)) || timer ? 0 : 40); // who turns fast passes most of them by
  };

  const open = async (uid, where, window = null, seek = null) => {
    const button = buttons.find((one) => one.dataset.series === uid) ?? buttons.find((one) => !one.hidden) ?? buttons[0];
    const [same, frame] = seek ?? (series === button.dataset.series && frames[at] ? named(at) : []);
    series = button.dataset.series;
    buttons.forEach((one) => one.setAttribute("aria-current", String(one === button)));
    stop();
    try {
      const [answer] = await Promise.all([fetch(`${root.dataset.at}/look/series/${series}`), ready]);
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      if (button.dataset.series !== series) return;
      [objects, listed] = [found, series];
    } catch (error) {
      frames = [];
      canvas.hidden = true;
      say(`This series cannot be listed: ${error.message}`);
      return;
    }
    frames = objects.flatMap(([uid, count], object) => Array.from({ length: count }, (_, one) => [object, one + 1])
      .filter(([, one]) => !$("only").checked || marks.keys(uid, one).length));
    if (!frames.length) {
      canvas.hidden = true;
      $("place").textContent = "";
      return say("Nothing in this series is marked as a key image.");
    }
    slider.max = String(frames.length);
    $("fresh").hidden = true;
    chosen = window;
    byHand = null;
    drawn = "";
    $("presets").replaceChildren(...Object.entries(PRESETS[button.dataset.modality] ?? {}).map(([name, preset], one) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "plain";
      made.textContent = name;
      made.title = `Key ${one + 1}`;
      made.addEventListener("click", () => setWindow(preset));
      return made;
    }));
    show(same ? Math.max(0, place(same, frame)) : where);
    button.scrollIntoView({ block: "nearest" });
  };

  // Series without a key image stay out of the way when only those are looked at; each says how many it has.
  const narrow = () => {
    const counts = marks.series();
    for (const one of buttons) {
      const count = counts.get(one.dataset.series) ?? 0;
      one.parentElement.hidden = one.hidden = $("only").checked && !count && !counts.has("");
      one.querySelector(".stars").textContent = count ? ` ★ ${count}` : "";
    }
  };

  // What is marked and how the image is shown, told beside it.
  const marked = () => {
    $("only").disabled = !marks.count() && !$("only").checked;
    narrow();
    if (!frames[at] || series !== listed) return;
    const keys = marks.keys(...named(at));
    const meanings = [...new Set(keys.map((one) => one.meaning || "Key image"))].join(", ");
    $("star").hidden = !keys.length;
    $("star").textContent = `★ ${meanings}`;
    $("key").setAttribute("aria-pressed", String(keys.some((one) => one.ours)));
    const states = marks.states(...named(at));
    const now = state(at);
    const stands = now && states.some((one) => one.document[1] === now.document[1]);
    const options = [["", "As sent"], ...states.map((one) => [one.document[1], `${one.name} ${when(one)}`])];
    if (now && !stands) options.push([now.document[1], `${now.name} (taken back)`]);
    const list = $("state");
    const told = JSON.stringify(options);
    if (list.dataset.told !== told) {
      list.dataset.told = told;
      list.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    }
    list.value = now?.document[1] ?? "";
    list.disabled = options.length < 2;
    $("unsave").hidden = !now?.ours || !stands;
    const lacks = shown(at)?.lacks ?? [];
    $("lacks").textContent = lacks.length ? `Not shown here: ${lacks.join(", ")}.` : "";
    if (marks.unread) $("lacks").textContent += ` Documents about these images that cannot be read: ${marks.unread}.`;
    if (!$("title").options.length) $("title").replaceChildren(...Object.entries(marks.titles).map(([code, text]) => new Option(text, code)));
  };
  const when = ({ date, time }) => `${date.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3")} ${time.replace(/^(\d\d)(\d\d).*$/, "$1:$2")}`.trim();
  const tell = (text) => { $("told").textContent = marks.trouble || text; };
  const about = () => {
    const [instance, frame] = named(at).map(String);
    return { series: decodeURIComponent(series), instance: decodeURIComponent(instance), frame: objects[frames[at][0]][1] > 1 ? frame : "", place: "quick look" };
  };

  let writing = false; // one write at a time: a key held down marks once
  const once = (act) => async () => {
    if (writing || !frames[at]) return;
    writing = true;
    try { await act(); } finally { writing = false; }
  };
  const back = ({ document: [inSeries, instance] }) => marks.write("take-back", { series: inSeries, instance, place: "quick look" });
  const key = once(async () => {
    const own = marks.keys(...named(at)).filter((one) => one.ours);
    const title = $("title").selectedOptions[0]?.textContent;
    let done = true;
    if (own.length) for (const one of own) done &&= await back(one);
    else done = await marks.write("key", { ...about(), title: $("title").value });
    tell(own.length ? "Taken back: a second document says so; both stay stored." : `Marked “${title}”: kept as a document in this study.`);
    marked();
    if (done && $("only").checked) open(series, at, chosen);
  });
  const save = once(async () => {
    const [where, now] = [named(at), state(at)];
    const { area, rotation, flipped } = view(at);
    const seen = area || stage.classList.contains("actual") ? visible() : null;
    const found = await marks.write("state", {
      ...about(), name: $("name").value, window: chosen ? `${chosen.map((one) => +one.toFixed(3)).join()},linear` : "",
      invert: stage.classList.contains("inverted") ? "1" : "", area: seen?.join() ?? "", rotation: String(rotation), flip: flipped ? "1" : "",
      base_series: now?.document[0] ?? "", base: now?.document[1] ?? "",
    });
    tell("Kept how this image is shown, as a presentation state in this study.");
    const made = found && marks.states(...where).find((one) => one.document[1] === decodeURIComponent(found.kept));
    if (!made) return;
    used.set(where.join(" "), made);
    [chosen, byHand] = [null, null];
    stage.classList.remove("actual", "inverted");
    for (const id of ["fit", "invert"]) $(id).setAttribute("aria-pressed", "false");
    show(at);
  });
  const unsave = once(async () => {
    const now = state(at);
    if (!now?.ours) return;
    if (await back(now)) use(marks.states(...named(at))[0] ?? null);
    tell("Taken back: a second document says so; both stay stored.");
  });
  const use = (one) => {
    used.set(named(at).join(" "), one);
    [chosen, byHand] = [null, null];
    show(at);
  };

  // The part of the image that is on the screen, in its pixels from 1.
  const visible = () => {
    const actual = stage.classList.contains("actual");
    const [left, top] = actual ? [stage.scrollLeft, stage.scrollTop].map((one) => one * devicePixelRatio) : [0, 0];
    const right = actual ? Math.min(canvas.width, left + stage.clientWidth * devicePixelRatio) : canvas.width;
    const bottom = actual ? Math.min(canvas.height, top + stage.clientHeight * devicePixelRatio) : canvas.height;
    const inverse = placed.inverse();
    const [one, other] = [[left, top], [right, bottom]].map((point) => inverse.transformPoint(new DOMPoint(...point)));
    const [x, y] = [[one.x, other.x], [one.y, other.y]].map((ends) => ends.sort((a, b) => a - b).map(Math.round));
    return [x[0] + 1, y[0] + 1, Math.max(x[0] + 1, x[1]), Math.max(y[0] + 1, y[1])];
  };
  const arrange = (change) => {
    if (!frames[at] || !placed || !shown(at)) return;
    const { area, rotation, flipped } = view(at);
    const { rows, columns } = size(at);
    byHand = { area, rotation, flipped, ...change({ area, rotation, flipped }), of: `${columns} ${rows}` };
    show(at);
  };
  // A flipped image is turned the other way before it is flipped.
  const rotate = () => arrange(({ rotation, flipped }) => ({ rotation: (rotation + (flipped ? 270 : 90)) % 360 }));
  const flip = () => arrange(({ flipped }) => ({ flipped: !flipped }));
  const zoom = (factor) => arrange(({ area }) => {
    const { rows, columns } = size(at);
    const [left, top, right, bottom] = area ?? [1, 1, columns, rows];
    const [wide, high] = [(right - left + 1) / factor, (bottom - top + 1) / factor].map((side) => Math.max(8, Math.round(side)));
    if (wide >= columns && high >= rows) return { area: undefined };
    const [x, y] = [(left + right + 1) / 2, (top + bottom + 1) / 2];
    const from = [Math.round(x - wide / 2), Math.round(y - high / 2)];
    return { area: [...from, from[0] + wide - 1, from[1] + high - 1] };
  });
  const reset = () => {
    byHand = null;
    setWindow(null);
  };

  const setWindow = (window) => {
    chosen = window;
    show(at);
  };

  const stop = () => {
    clearInterval(timer);
    timer = 0;
    $("cine").setAttribute("aria-pressed", "false");
  };
  const play = () => {
    if (timer) return stop();
    if (frames.length < 2) return;
    $("cine").setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      const next = (at + 1) % frames.length;
      way = 1;
      if (kept.has(address(next))) show(next);
      else fill();
    }, 1000 / Math.max(1, Math.min(60, Number($("rate").value) || 15)));
  };

  const fit = () => {
    const actual = stage.classList.toggle("actual");
    $("fit").setAttribute("aria-pressed", String(actual));
    middle = actual;
    drawn = "";
    show(at);
  };
  const invert = () => $("invert").setAttribute("aria-pressed", String(stage.classList.toggle("inverted")));
  const turn = (step) => {
    const next = buttons.findIndex((one) => one.dataset.series === series) + step;
    if (buttons[next]) open(buttons[next].dataset.series, 0);
  };

  const KEYS = {
    ArrowDown: () => show(at + 1), ArrowUp: () => show(at - 1), PageDown: () => show(at + 10), PageUp: () => show(at - 10),
    Home: () => show(0), End: () => show(frames.length - 1), ArrowRight: () => turn(1), ArrowLeft: () => turn(-1),
    " ": play, r: reset, f: fit, i: invert, k: () => key(), p: () => save(), t: () => rotate(), h: () => flip(),
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8),
  };
  document.addEventListener("keydown", (event) => {
    const on = document.activeElement;
    const types = on instanceof HTMLSelectElement || ["text", "number"].includes(on.type);
    if (event.ctrlKey || event.metaKey || event.altKey || types) return;
    if (event.key === " " && (on instanceof HTMLButtonElement || on.type === "checkbox")) return;
    const act = KEYS[event.key] ?? (/^[1-9]$/.test(event.key) && (() => $("presets").children[event.key - 1]?.click()));
    if (!act) return;
    event.preventDefault();
    act();
  });

  let wheeled = 0;
  stage.addEventListener("wheel", (event) => {
    if (event.ctrlKey) return;
    event.preventDefault();
    wheeled += event.deltaMode ? event.deltaY * 40 : event.deltaY;
    const steps = Math.trunc(wheeled / 40);
    wheeled -= steps * 40;
    if (steps) show(at + steps);
  }, { passive: false });

  // Moves the part that is shown with the pointer, when it is less than all.
  const pan = (x, y) => {
    if (!drag.area || !placed) return;
    const fitted = Math.max(canvas.width / stage.clientWidth, canvas.height / stage.clientHeight);
    const inverse = placed.inverse();
    const [from, to] = [[0, 0], [x * fitted, y * fitted]].map((point) => inverse.transformPoint(new DOMPoint(...point)));
    const by = [Math.round(to.x - from.x), Math.round(to.y - from.y)];
    arrange(() => ({ area: drag.area.map((edge, side) => edge - by[side % 2]) }));
  };

  let drag = null;
  let soon = 0;
  stage.addEventListener("pointerdown", (event) => {
    if (!frames[at]) return;
    const start = chosen ?? shown(at)?.window ?? info(at)?.window;
    const pans = event.shiftKey || event.button === 1;
    if ((event.button && !pans) || (!start && !pans)) return;
    drag = { x: event.clientX, y: event.clientY, start, pans, area: view(at).area, left: stage.scrollLeft, top: stage.scrollTop };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    if (drag.pans) return stage.classList.contains("actual") ? stage.scrollTo(drag.left - x, drag.top - y) : pan(x, y);
    const [center, width] = drag.start;
    const step = Math.max(1, width / 400);
    chosen = [center + y * step, Math.max(1, width + x * step)];
    label();
    clearTimeout(soon);
    soon = setTimeout(() => show(at), 60);
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { drag = null; });

  slider.addEventListener("input", () => show(Number(slider.value) - 1));
  buttons.forEach((one) => one.addEventListener("click", () => open(one.dataset.series, 0)));
  const CLICKS = {
    own: reset, fit, invert, cine: play, rotate, flip, nearer: () => zoom(1.25), farther: () => zoom(0.8), key, save, unsave,
  };
  for (const [id, act] of Object.entries(CLICKS)) $(id).addEventListener("click", act);
  $("rate").addEventListener("change", () => {
    $("rate").dataset.typed = "yes";
    if (timer) { stop(); play(); }
  });
  $("state").addEventListener("change", () => use(marks.states(...named(at)).find((one) => one.document[1] === $("state").value) ?? null));
  $("only").addEventListener("change", () => {
    narrow();
    const here = buttons.find((one) => one.dataset.series === series);
    open(here && !here.hidden ? series : "", 0, chosen);
  });
  for (const list of [$("state"), $("title")]) { // after a choice with the mouse, keys are the image's again
    let pointed = false;
    list.addEventListener("pointerdown", () => { pointed = true; });
    list.addEventListener("keydown", () => { pointed = false; });
    list.addEventListener("change", () => pointed && stage.focus());
  }
  new ResizeObserver(() => frames.length && show(at)).observe(stage);

  // A study that grows while it is looked at says so, and changes nothing until asked to.
  let others = false;
  $("fresh").addEventListener("click", () => (others ? location.reload() : open(series, at, chosen)));
  new EventSource("/live").addEventListener("studies", async () => {
    marks.load();
    const answer = await fetch(`${root.dataset.at}/look/counts`).catch(() => null);
    if (!answer?.ok) return;
    const counts = await answer.json();
    const known = (uid) => (uid === series ? objects.length : Number(buttons.find((one) => one.dataset.series === uid)?.dataset.images ?? 0));
    let more = 0;
    others = false;
    for (const [uid, count] of Object.entries(counts)) {
      more += Math.max(0, count - known(uid));
      others ||= uid !== series && count > known(uid);
    }
    $("fresh").hidden = !more;
    $("fresh").textContent = `${more} new ${more === 1 ? "image" : "images"}: load`;
  });

  const wanted = async () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    const window = (asked.get("window") ?? "").split(",").map(Number);
    const [uid, image] = ["series", "image"].map((name) => encodeURIComponent(asked.get(name) ?? ""));
    if (asked.get("keys") === "1") await ready;
    $("only").checked = asked.get("keys") === "1" && marks.count() > 0;
    narrow();
    const seek = image ? [image, Number(asked.get("frame")) || 1] : null;
    open(uid, (Number(asked.get("at")) || 1) - 1, window.length === 2 && window.every(Number.isFinite) && window[1] >= 1 ? window : null, seek);
  };
  addEventListener("hashchange", wanted);
  wanted();
})();
