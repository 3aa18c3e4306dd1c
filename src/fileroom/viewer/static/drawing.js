// How the viewer draws. Loaded by OHIF as an extension (viewer-config.js names it), behind the one that starts
// cornerstone.

export default {
  id: 'fileroom.drawing',
  preRegistration({ servicesManager }) {
    // One WebGL context for all viewports in turn, not seven made before the first image shows: each takes a while.
    const { rendering, ...rest } = window.cornerstone.getConfiguration();
    window.cornerstone.setConfiguration({ ...rest, rendering: { ...rendering, webGlContextCount: 1 } });
    const { hangingProtocolService: hanging } = servicesManager.services;
    hanging.subscribe(hanging.EVENTS.PROTOCOL_CHANGED, () => window.dispatchEvent(new Event('fileroom:hung')));
  },
};
