// How the viewer draws. Loaded by OHIF as an extension (viewer-config.js names it), behind the one that starts
// cornerstone.

export default {
  id: 'fileroom.drawing',
  preRegistration({ servicesManager }) {
    // One WebGL context for all viewports in turn, not seven made before the first image shows: each takes a while.
    const { rendering, ...rest } = window.cornerstone.getConfiguration();
    window.cornerstone.setConfiguration({ ...rest, rendering: { ...rendering, webGlContextCount: 1 } });
    // OHIF tells the VOI LUT Function as text, of which cornerstone takes the first of a list: images that state one,
    // even LINEAR, stayed black.
    const { metaData } = window.cornerstone;
    let asking = false;
    metaData.addProvider((type, id) => {
      if (type !== 'voiLutModule' || asking) {
        return undefined;
      }
      asking = true;
      try {
        const found = metaData.get(type, id);
        return typeof found?.voiLUTFunction === 'string' ? { ...found, voiLUTFunction: [found.voiLUTFunction] } : found;
      } finally {
        asking = false;
      }
    }, 99999);
    const { hangingProtocolService: hanging } = servicesManager.services;
    hanging.subscribe(hanging.EVENTS.PROTOCOL_CHANGED, () => window.dispatchEvent(new Event('fileroom:hung')));
  },
};
