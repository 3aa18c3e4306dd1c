// What OHIF keeps to itself or stumbles over: which images cannot be shown, that saved views are not applied, and items of
// reports without a name.
// Loaded by OHIF as an extension (viewer-config.js names it).

const GATHER_MS = 500; // images fail one by one; they are told together
const TOLD_MS = 20000;
const NAMED_MAX = 8;

const IMAGE = /\/studies\/([^/]+)\/series\/([^/]+)\/instances\/([^/]+)\/frames\/(\d+)/;

/** What to say of images that could not be had: `failures` of one kind, by `{ status, series, image }`. */
export function sentence(failures) {
  if (failures.some(({ status }) => !status)) {
    return 'The archive does not answer. What is not shown yet comes when it is scrolled to again.';
  }
  const bySeries = new Map();
  for (const { series, image } of failures) {
    bySeries.set(series, [...(bySeries.get(series) ?? []), image]);
  }
  const parts = [...bySeries].map(([series, images]) => {
    const named = images.slice(0, NAMED_MAX).join(', ');
    const more = images.length > NAMED_MAX ? ` and ${images.length - NAMED_MAX} more` : '';
    return `image ${named}${more} of ${series}`;
  });
  return `Cannot be shown, damaged or not readable: ${parts.join('; ')}.`;
}

/** Gives every item of a structured report a name, an empty one where it has none. Changes the items. */
export function named(items) {
  for (const item of [items ?? []].flat()) {
    item.ConceptNameCodeSequence ??= { CodeValue: '', CodeMeaning: item.ValueType ?? '' };
    named(item.ContentSequence);
  }
}

/** The image of that ID as a person knows it: its series' description, its number (of a multi-frame image: the frame's). */
function known(imageId, displaySets) {
  const [, , series, sop, frame] = IMAGE.exec(imageId) ?? [];
  for (const set of displaySets.filter(set => set.SeriesInstanceUID === series)) {
    const instance = set.instances?.find(instance => instance.SOPInstanceUID === sop);
    if (instance) {
      const image = instance.NumberOfFrames > 1 ? frame : (instance.InstanceNumber ?? '?');
      return { series: set.SeriesDescription || `series ${set.SeriesNumber}`, image };
    }
  }
  return { series: 'this study', image: '?' };
}

export default {
  id: 'fileroom.faults',
  preRegistration({ servicesManager }) {
    const { displaySetService, uiNotificationService } = servicesManager.services;
    const told = new Set();
    let failures = [];
    const tell = () => {
      const options = { title: 'Not every image is here', type: 'error', duration: TOLD_MS };
      uiNotificationService.show({ ...options, message: sentence(failures) });
      failures = [];
    };
    window.cornerstone.eventTarget.addEventListener('CORNERSTONE_IMAGE_LOAD_FAILED', ({ detail }) => {
      const status = detail.error?.status ?? detail.error?.request?.status ?? -1;
      const once = status ? detail.imageId : 'away';
      if (told.has(once)) {
        return;
      }
      told.add(once);
      setTimeout(() => told.delete(once), TOLD_MS);
      if (!failures.length) {
        setTimeout(tell, GATHER_MS);
      }
      failures.push({ status, ...known(detail.imageId, displaySetService.getActiveDisplaySets()) });
    });
    let views = false;
    displaySetService.subscribe(displaySetService.EVENTS.DISPLAY_SETS_ADDED, ({ displaySetsAdded }) => {
      if (!views && displaySetsAdded.some(set => set.Modality === 'PR')) {
        views = true;
        const message = 'The viewer shows the images without them. The quick look, on the page of the study, applies them.';
        uiNotificationService.show({ title: 'This study has saved views', message, type: 'info', duration: TOLD_MS / 2 });
      }
      displaySetsAdded.filter(set => set.Modality === 'SR').forEach(set => named((set.instance ?? set.instances?.[0])?.ContentSequence));
    });
  },
};
