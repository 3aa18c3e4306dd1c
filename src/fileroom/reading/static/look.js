// Quick look: scrolls through the pictures of a series. Only what is near is fetched; what was passed by is given up.
"use strict";
(() => {
  const root = document.getElementById("look");
  if (!root) return;
  const $ = (id) => document.getElementById(id);
  const [stage, picture, trouble, slider] = [$("stage"), $("picture"), $("trouble"), $("slider")];
  const buttons = [...root.querySelectorAll("[data-series]")];
  const PRESETS = { CT: { Soft: [40, 400], Lung: [-600, 1500], Bone: [400, 1800], Brain: [40, 80] } };
  const NEAR = 4;
  const KEPT = 60;
  let frames = []; // [address of the instance, frame number]
  let own = null; // the series' own window
  let chosen = null; // [center, width]; null: each image's own
  let series = "";
  let at = 0;
  let timer = 0;
  const pictures = new Map(); // address to Image, the latest used last

  const address = (place) => {
    const [instance, frame] = frames[place];
    const look = chosen ? `?window=${chosen[0].toFixed(1)},${chosen[1].toFixed(1)},linear` : "";
    return `${instance}/frames/${frame}/rendered${look}`;
  };

  const load = (place) => {
    const url = address(place);
    let image = pictures.get(url);
    if (image) {
      pictures.delete(url);
    } else {
      image = new Image();
      image.onload = () => { image.ready = true; arrived(url); };
      image.onerror = () => { if (image.getAttribute("src")) { image.broken = true; arrived(url); } };
      image.src = url;
    }
    pictures.set(url, image);
    return image;
  };

  const forget = () => {
    const near = new Set();
    for (let place = at - NEAR; place <= at + NEAR; place++) if (frames[place]) near.add(address(place));
    for (const [url, image] of pictures) {
      const waiting = !image.ready && !image.broken;
      if (!near.has(url) && (waiting || pictures.size > KEPT)) {
        image.removeAttribute("src");
        pictures.delete(url);
      }
    }
  };

  const arrived = (url) => {
    if (frames[at] && address(at) === url) paint();
  };

  const paint = () => {
    const image = load(at);
    if (image.ready) picture.src = image.src;
    trouble.hidden = !image.broken;
    picture.hidden = Boolean(image.broken);
    if (image.broken) trouble.textContent = `Image ${at + 1} cannot be shown: it is damaged, or of a kind that is not rendered. Its neighbours can be.`;
  };

  const show = (place) => {
    if (!frames.length) return;
    at = Math.max(0, Math.min(frames.length - 1, place));
    slider.value = String(at + 1);
    $("place").textContent = `Image ${at + 1} of ${frames.length}`;
    const shown = chosen ?? own;
    $("window").textContent = shown ? `C ${Math.round(shown[0])} W ${Math.round(shown[1])}` : "";
    paint();
    forget();
    for (let step = 1; step <= NEAR; step++) for (const next of [at + step, at - step]) if (frames[next]) load(next);
    history.replaceState(null, "", `#series=${series}&at=${at + 1}`);
  };

  const list = async (uid) => {
    const answer = await fetch(`${root.dataset.at}/look/${uid}`);
    if (!answer.ok) throw new Error((await answer.json()).error);
    const found = await answer.json();
    return { window: found.window, frames: found.images.flatMap(([instance, count]) => Array.from({ length: count }, (_, n) => [instance, n + 1])) };
  };

  const open = async (uid, place) => {
    const button = buttons.find((one) => one.dataset.series === uid) ?? buttons[0];
    series = button.dataset.series;
    buttons.forEach((one) => one.setAttribute("aria-current", String(one === button)));
    stop();
    try {
      const found = await list(series);
      if (button.dataset.series !== series) return;
      frames = found.frames;
      own = found.window;
    } catch (error) {
      frames = [];
      trouble.hidden = false;
      trouble.textContent = `The series cannot be listed: ${error.message}`;
      return;
    }
    chosen = null;
    pictures.clear();
    slider.max = String(frames.length);
    $("fresh").hidden = true;
    $("presets").replaceChildren(...Object.entries(PRESETS[button.dataset.modality] ?? {}).map(([name, window]) => {
      const preset = document.createElement("button");
      preset.type = "button";
      preset.className = "plain";
      preset.textContent = name;
      preset.addEventListener("click", () => setWindow(window));
      return preset;
    }));
    show(place);
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
    $("cine").setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      const next = (at + 1) % frames.length;
      if (load(next).ready || load(next).broken) show(next);
    }, 1000 / Math.max(1, Math.min(60, Number($("rate").value) || 15)));
  };

  const fit = () => {
    const whole = stage.classList.toggle("whole");
    $("fit").setAttribute("aria-pressed", String(!whole));
  };

  const turn = (step) => {
    const next = buttons.findIndex((one) => one.dataset.series === series) + step;
    if (buttons[next]) open(buttons[next].dataset.series, 0);
  };

  const KEYS = {
    ArrowDown: () => show(at + 1), ArrowUp: () => show(at - 1), PageDown: () => show(at + 10), PageUp: () => show(at - 10),
    Home: () => show(0), End: () => show(frames.length - 1), ArrowRight: () => turn(1), ArrowLeft: () => turn(-1),
    " ": play, r: () => setWindow(null), f: fit,
  };
  document.addEventListener("keydown", (event) => {
    const on = document.activeElement;
    if (event.ctrlKey || event.metaKey || event.altKey || on instanceof HTMLInputElement) return;
    if (event.key === " " && on instanceof HTMLButtonElement) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  let turned = 0;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    turned += event.deltaY;
    if (Math.abs(turned) < 30) return;
    show(at + Math.sign(turned));
    turned = 0;
  }, { passive: false });
  let drag = null;
  let soon = 0;
  stage.addEventListener("pointerdown", (event) => {
    const start = chosen ?? own;
    if (event.button || !start) return;
    drag = { x: event.clientX, y: event.clientY, start };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [center, width] = drag.start;
    const step = Math.max(1, width / 400);
    const window = [center + (event.clientY - drag.y) * step, Math.max(1, width + (event.clientX - drag.x) * step)];
    clearTimeout(soon);
    soon = setTimeout(() => setWindow(window), 60);
  });
  stage.addEventListener("pointerup", () => { drag = null; });
  slider.addEventListener("input", () => show(Number(slider.value) - 1));
  buttons.forEach((one) => one.addEventListener("click", () => open(one.dataset.series, 0)));
  $("own").addEventListener("click", () => setWindow(null));
  $("fit").addEventListener("click", fit);
  $("cine").addEventListener("click", play);
  $("rate").addEventListener("change", () => { if (timer) { stop(); play(); } });
  $("fresh").addEventListener("click", () => open(series, at));
  if ("EventSource" in window) {
    new EventSource("/live").addEventListener("studies", async () => {
      const found = await list(series).catch(() => null);
      const more = found ? found.frames.length - frames.length : 0;
      $("fresh").hidden = more <= 0;
      $("fresh").textContent = `${more} new ${more === 1 ? "image" : "images"}: load`;
    });
  }
  const asked = new URLSearchParams(location.hash.slice(1));
  const wanted = encodeURIComponent(asked.get("series") ?? "");
  open(wanted, (Number(asked.get("at")) || 1) - 1);
})();
