// What is marked in a study and how its images are to be shown: asked of the server, kept by it.
"use strict";
window.lookMarks = (at, changed) => {
  let keys = new Map(); // UID of an image to its marks
  let states = new Map(); // and to its presentation states, the latest first
  let told = "";
  const marks = { titles: {}, unread: 0, trouble: "" };

  const by = (list, images) => {
    const found = new Map();
    for (const one of list) for (const image of images(one)) found.set(image, [...(found.get(image) ?? []), one]);
    return found;
  };
  const take = (found) => {
    if (JSON.stringify(found) === told) return;
    told = JSON.stringify(found);
    keys = by(found.keys, (one) => [one.image]);
    states = by(found.states, (one) => Object.keys(one.images));
    Object.assign(marks, { titles: found.titles, unread: found.unread });
    changed();
  };
  const concerns = (frames, frame) => !frames.length || frames.includes(frame);

  marks.load = async () => {
    const answer = await fetch(`${at}/look/marks`).catch(() => null);
    if (answer?.ok) take(await answer.json());
    return Boolean(answer?.ok);
  };
  marks.count = () => keys.size;
  // Of each series how many of its images are marked; "" when a document does not say of which series one is.
  marks.series = () => {
    const counts = new Map();
    for (const [{ series }] of keys.values()) counts.set(series, (counts.get(series) ?? 0) + 1);
    return counts;
  };
  marks.keys = (image, frame) => (keys.get(image) ?? []).filter((one) => concerns(one.frames, frame));
  marks.states = (image, frame) => (states.get(image) ?? []).filter((one) => concerns(one.images[image], frame));

  // Writes; what it answers, or null after telling what is wrong.
  marks.write = async (what, fields) => {
    const body = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== null && value !== ""));
    marks.trouble = "";
    try {
      const answer = await fetch(`${at}/look/${what}`, { method: "POST", body });
      const found = await answer.json();
      if (answer.ok) {
        take((({ kept, ...rest }) => rest)(found));
        return found;
      }
      marks.trouble = found.error + (found.hint ? `: ${found.hint}` : "");
      await marks.load(); // perhaps somebody else was faster
    } catch {
      marks.trouble = "The server did not answer; nothing is known to be kept.";
    }
    return null;
  };
  return marks;
};
