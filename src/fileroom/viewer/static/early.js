// Fetches what OHIF will ask the archive for, while OHIF is still starting: the browser keeps the answers for it.
'use strict';

(() => {
  const named = (document.currentScript.dataset.early || '').split(' ').filter(path => path);
  const isFrame = path => path.includes('/frames/');
  const frames = named.filter(isFrame);
  const words = named.filter(path => !isFrame(path));
  // Word for word what OHIF accepts (viewer-config.js), or the browser would not take one answer for the other.
  const JSON_ACCEPTED = 'application/dicom+json';
  const FRAMES_ACCEPTED = 'application/octet-stream; transfer-syntax=*';
  const FRAMES_AT_ONCE = 2; // of six connections: scripts need the others

  // The archive is asked whether what the browser may have from before still holds. With that header, it lets the
  // browser use the answer for some seconds without asking again, which OHIF's own request would.
  const ask = (path, accept, priority) =>
    fetch(path, { headers: { Accept: accept, 'Fileroom-Ahead': '1' }, cache: 'no-cache', priority });

  const value = (instance, tag) => instance[tag]?.Value ?? [];
  const numbers = (instance, tag) => value(instance, tag).map(Number);
  const VOLUMES = ['CT', 'MR', 'PT', 'NM'];

  /** The image OHIF puts first, where it sorts by place and not by number: the last one along the normal. */
  const firstByPlace = instances => {
    const [row, column] = [0, 3].map(at => numbers(instances[0] ?? {}, '00200037').slice(at, at + 3));
    const directions = new Set(instances.map(one => value(one, '00200037').join()));
    const places = instances.map(one => numbers(one, '00200032'));
    const sorts = instances.length > 1 && VOLUMES.includes(value(instances[0], '00080060')[0]) && directions.size === 1;
    if (!sorts || column.length !== 3 || places.some(place => place.length !== 3)) {
      return undefined;
    }
    const normal = [0, 1, 2].map(at => row[(at + 1) % 3] * column[(at + 2) % 3] - row[(at + 2) % 3] * column[(at + 1) % 3]);
    const far = places.map(place => place.reduce((sum, one, at) => sum + one * normal[at], 0));
    return value(instances[far.indexOf(Math.max(...far))], '00080018')[0];
  };

  /** Has the first of the frames be that of the image which shows first, now that the series is known. */
  const correct = instances => {
    const first = firstByPlace(instances);
    if (first && frames.length) {
      frames[0] = frames[0].replace(/\/instances\/[^/]+\//, `/instances/${first}/`);
    }
  };

  const known = words.map(async path => {
    const answer = await ask(path, JSON_ACCEPTED, 'high');
    if (path.endsWith('/metadata') && answer.ok) {
      correct(await answer.json());
    } else {
      await answer.arrayBuffer();
    }
  });

  const fetchFrames = async () => {
    while (frames.length) {
      try {
        const answer = await ask(frames.shift(), FRAMES_ACCEPTED, 'low');
        await answer.arrayBuffer();
      } catch {
        return; // OHIF will say so when it asks itself
      }
    }
  };

  // Once OHIF's first script has come, which large images would hold up (viewer-config.js says when).
  const begin = async () => {
    await Promise.allSettled(known);
    for (let begun = 0; begun < FRAMES_AT_ONCE; begun++) {
      fetchFrames();
    }
  };
  window.addEventListener('fileroom:starting', begin, { once: true });
  // From then on OHIF asks for images itself (drawing.js says when); nothing should come twice.
  window.addEventListener('fileroom:hung', () => frames.splice(0), { once: true });
})();
