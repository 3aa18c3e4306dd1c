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

  const seriesAt = () => `/studies/${root.dataset.study}/series/${series}/instances/`;
  const info = (place) => infos.get(objects[frames[place][0]][0]);
  const place = (uid, frame) => frames.findIndex(([object, one]) => objects[object][0] === uid && one === frame);

  const address = (where) => {
    const [object, frame] = frames[where];
    const [uid, , , rows, columns] = objects[object];
    const look = [];
    if (chosen) look.push(`window=${chosen.map((one) => +one.toFixed(1)).join()},linear`);
    if (!stage.classList.contains("actual")) {
      const [width, height] = [stage.clientWidth, stage.clientHeight].map((one) => Math.ceil((one * devicePixelRatio) / 256) * 256);
      if (columns > width || rows > height) look.push(`viewport=${width},${height}`);
    }
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

  const draw = async () => {
    const url = address(at);
    const content = kept.get(url);
    stage.classList.toggle("waiting", drawn !== url && typeof content !== "string");
    if (content === undefined || drawn === url) return;
    kept.delete(url);
    kept.set(url, content);
    const name = `${$("place").textContent} (${$("which").textContent})`;
    if (typeof content === "string") return broken(url, `${name} cannot be shown: ${content}. The other images can be looked at.`);
    const bitmap = await createImageBitmap(content).catch(() => null);
    if (address(at) !== url) return;
    if (!bitmap) return broken(url, `${name} cannot be shown: what the server sent is no picture.`);
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.style.width = stage.classList.contains("actual") ? `${bitmap.width / devicePixelRatio}px` : "";
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    if (middle) stage.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
    middle = false;
    finish(url, "", false);
  };
  const broken = (url, text) => finish(url, text, true);
  const finish = (url, text, hidden) => {
    drawn = url;
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
    const shown = chosen ?? (known?.own ? known.window : null);
    $("window").textContent = shown ? `C ${Math.round(shown[0])} W ${Math.round(shown[1])}` : "Own window";
    if (known?.rate && !$("rate").dataset.typed) $("rate").value = String(known.rate);
  };

  const show = (where) => {
    if (!frames.length) return;
    const next = Math.max(0, Math.min(frames.length - 1, where));
    if (next !== at) way = next > at ? 1 : -1;
    at = next;
    const [object, frame] = frames[at];
    const [, count, number] = objects[object];
    slider.value = String(at + 1);
    $("place").textContent = `Image ${at + 1} of ${frames.length}`;
    $("which").textContent = `No. ${number ?? "–"}${count > 1 ? `, frame ${frame} of ${count}` : ""}`;
    label();
    draw();
    clearTimeout(asking);
    asking = setTimeout(() => {
      fill();
      learn();
      const window = chosen ? `&window=${chosen.map((one) => one.toFixed(1)).join()}` : "";
      history.replaceState(null, "", `#series=${series}&at=${at + 1}${window}`);
    }, kept.has(address(at)) || timer ? 0 : 40); // who turns fast passes most of them by
  };

  const open = async (uid, where, window = null) => {
    const button = buttons.find((one) => one.dataset.series === uid) ?? buttons[0];
    const same = series === button.dataset.series ? objects[frames[at]?.[0]]?.[0] : null;
    const frame = frames[at]?.[1];
    series = button.dataset.series;
    buttons.forEach((one) => one.setAttribute("aria-current", String(one === button)));
    stop();
    try {
      const answer = await fetch(`${root.dataset.at}/look/series/${series}`);
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      if (button.dataset.series !== series) return;
      objects = found;
    } catch (error) {
      frames = [];
      canvas.hidden = true;
      say(`This series cannot be listed: ${error.message}`);
      return;
    }
    frames = objects.flatMap(([, count], object) => Array.from({ length: count }, (_, one) => [object, one + 1]));
    slider.max = String(frames.length);
    $("fresh").hidden = true;
    chosen = window;
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
    " ": play, r: () => setWindow(null), f: fit, i: invert,
  };
  document.addEventListener("keydown", (event) => {
    const on = document.activeElement;
    if (event.ctrlKey || event.metaKey || event.altKey || on === $("rate")) return;
    if (event.key === " " && on instanceof HTMLButtonElement) return;
    const act = KEYS[event.key] ?? (/^[1-9]$/.test(event.key) && (() => $("presets").children[event.key - 1]?.click()));
    if (!act) return;
    event.preventDefault();
    act();
  });

  let turned = 0;
  stage.addEventListener("wheel", (event) => {
    if (event.ctrlKey) return;
    event.preventDefault();
    turned += event.deltaMode ? event.deltaY * 40 : event.deltaY;
    const steps = Math.trunc(turned / 40);
    turned -= steps * 40;
    if (steps) show(at + steps);
  }, { passive: false });

  let drag = null;
  let soon = 0;
  stage.addEventListener("pointerdown", (event) => {
    const start = chosen ?? info(at)?.window;
    const pans = event.shiftKey || event.button === 1;
    if ((event.button && !pans) || (!start && !pans)) return;
    drag = { x: event.clientX, y: event.clientY, start, pans, left: stage.scrollLeft, top: stage.scrollTop };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    if (drag.pans) return stage.scrollTo(drag.left - x, drag.top - y);
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
  const CLICKS = { own: () => setWindow(null), fit, invert, cine: play };
  for (const [id, act] of Object.entries(CLICKS)) $(id).addEventListener("click", act);
  $("rate").addEventListener("change", () => {
    $("rate").dataset.typed = "yes";
    if (timer) { stop(); play(); }
  });
  new ResizeObserver(() => frames.length && show(at)).observe(stage);

  // A study that grows while it is looked at says so, and changes nothing until asked to.
  let others = false;
  $("fresh").addEventListener("click", () => (others ? location.reload() : open(series, at, chosen)));
  new EventSource("/live").addEventListener("studies", async () => {
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

  const wanted = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    const window = (asked.get("window") ?? "").split(",").map(Number);
    const uid = encodeURIComponent(asked.get("series") ?? "");
    open(uid, (Number(asked.get("at")) || 1) - 1, window.length === 2 && window.every(Number.isFinite) && window[1] >= 1 ? window : null);
  };
  addEventListener("hashchange", wanted);
  wanted();
})();
