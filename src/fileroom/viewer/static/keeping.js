// Key images and presentation states: two buttons that have the archive keep what the reader marked, and how an image
// is shown in the active viewport. Loaded by OHIF as an extension (viewer-config.js names it); the archive makes the
// objects, for the quick look too.

const OF_DISPLAY = { '0,1': 0, '1,0': 90, '0,-1': 180, '-1,0': 270 }; // which way of the image lies down: how it is turned

/** How far from an axis the edge of a viewport may lie and still count as along it. */
const ASKEW = 0.02;

/**
 * Part, turn and flip of an image of these columns and rows from where three corners of the viewport lie in it (top left,
 * top right, bottom left; in its pixels from 0). Undefined when the image stands askew or is not in sight.
 */
export function placement([topLeft, topRight, bottomLeft], columns, rows) {
  const along = (from, to) => {
    const way = [to[0] - from[0], to[1] - from[1]];
    const length = Math.hypot(...way) || 1;
    const straight = way.map(part => Math.round(part / length) + 0);
    return way.every((part, axis) => Math.abs(part / length - straight[axis]) < ASKEW) ? straight : undefined;
  };
  const [right, down] = [along(topLeft, topRight), along(topLeft, bottomLeft)];
  const rotation = down && OF_DISPLAY[down.join()];
  if (rotation === undefined || !right) {
    return undefined;
  }
  // Without a flip, what lies to the right is a quarter turn from what lies down.
  const flipped = right[0] !== down[1] || right[1] !== -down[0];
  const other = [topRight[0] + bottomLeft[0] - topLeft[0], topRight[1] + bottomLeft[1] - topLeft[1]];
  const edges = [0, 1].map(axis => {
    const ends = [topLeft[axis], other[axis]].sort((a, b) => a - b).map(Math.round);
    return [Math.max(0, ends[0]), Math.min(axis ? rows : columns, ends[1])];
  });
  if (edges.some(([low, high]) => low >= high)) {
    return undefined;
  }
  const [[left, last], [top, bottom]] = edges;
  return { area: [left + 1, top + 1, last, bottom], rotation, flipped };
}

const close = points => [...points, points[0]];
const box = points => {
  const [x, y] = [0, 1].map(axis => points.map(point => point[axis]));
  const [left, right, top, bottom] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  return close([[left, top], [right, top], [right, bottom], [left, bottom]]);
};
const length = ([a, b]) => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** What a presentation state draws for a measurement of this tool; points in pixels of the image, what it says as words. */
export function drawn(tool, points, words) {
  const line = of => ({ kind: 'POLYLINE', points: of });
  const label = words && points.length ? [{ text: words, points: [points[points.length - 1]] }] : [];
  switch (tool) {
    case 'Length':
    case 'Angle':
      return points.length > 1 ? [line(points), ...label] : label;
    case 'ArrowAnnotate':
      return [...(points.length > 1 ? [line(points.slice(0, 2))] : []), ...label];
    case 'Bidirectional':
    case 'CobbAngle':
      return points.length < 4 ? label : [line(points.slice(0, 2)), line(points.slice(2, 4)), ...label];
    case 'RectangleROI':
      return [line(box(points)), ...label];
    case 'CircleROI':
      return points.length < 2 ? label : [{ kind: 'CIRCLE', points: points.slice(0, 2) }, ...label];
    case 'EllipticalROI': {
      const axes = [points.slice(0, 2), points.slice(2, 4)].sort((a, b) => length(b) - length(a));
      return points.length < 4 ? label : [{ kind: 'ELLIPSE', points: axes.flat() }, ...label];
    }
    case 'PlanarFreehandROI':
    case 'SplineROI':
    case 'LivewireContour':
      return points.length > 2 && points.length < 2000 ? [line(close(points)), ...label] : label;
    default:
      return [];
  }
}

/** The image in the active viewport: {viewport, instance, frame}; a text that says why there is none. */
function active({ viewportGridService, cornerstoneViewportService }) {
  const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
  const imageId = viewport?.type === 'stack' ? viewport.getCurrentImageId?.() : undefined;
  const instance = imageId && window.cornerstone.metaData.get('instance', imageId);
  if (!instance?.SOPInstanceUID) {
    return 'Only an image as it was taken can be kept: choose a viewport that shows one, not a reconstruction.';
  }
  const said = /\/frames\/(\d+)/.exec(imageId);
  const several = Number(instance.NumberOfFrames) > 1;
  return { viewport, instance, frame: several ? Number(said?.[1] ?? 1) : '' };
}

const FUNCTIONS = { SIGMOID: 'sigmoid', LINEAR_EXACT: 'linear-exact' }; // the viewer's words for the archive's

const exact = number => String(+number.toPrecision(9));

/**
 * The window whose ends are shown as black and white, in the archive's words. LINEAR and SIGMOID count half a value at
 * each end (PS3.3 C.11.2.1.2.1), which nothing is left of in a window narrower than one: that is kept as LINEAR_EXACT.
 */
export function windowed({ lower, upper }, told) {
  const [width, middle] = [upper - lower, (lower + upper) / 2];
  const narrow = width > 0 && width < 1 && told !== 'SIGMOID';
  if (told === 'LINEAR_EXACT' || narrow) {
    return `${exact(middle)},${exact(width)},linear-exact`;
  }
  return `${exact(middle + 0.5)},${exact(width + 1)},${FUNCTIONS[told] ?? 'linear'}`;
}

/** How it is shown, as fields for the archive; a text that says why that cannot be kept. */
function setting({ viewport, instance, frame }, measurementService) {
  // As the viewport places the image: of one that does not say where it lies, metadata may say something else.
  const { imageData } = viewport.getImageData();
  const pixels = world => [...imageData.worldToIndex(world)].slice(0, 2).map(index => index + 0.5);
  const { clientWidth: width, clientHeight: height } = viewport.element;
  const corners = [[0, 0], [width, 0], [0, height]].map(point => pixels(viewport.canvasToWorld(point)));
  const placed = placement(corners, instance.Columns, instance.Rows);
  if (!placed) {
    return 'The image stands askew or out of sight: only quarter turns can be kept.';
  }
  const { voiRange, invert, VOILUTFunction } = viewport.getProperties();
  if (!voiRange) {
    return 'The viewer does not say in which window it shows this image: save the view in the quick look.';
  }
  if (viewport.getCornerstoneImage?.()?.preScale?.scalingParameters?.suvbw) {
    return 'This image is shown in SUV, which cannot be kept: save the view in the quick look.';
  }
  const window = windowed(voiRange, VOILUTFunction);
  const own = instance.PhotometricInterpretation === 'MONOCHROME1' || instance.PresentationLUTShape === 'INVERSE';
  const annotations = measurementService
    .getMeasurements()
    .filter(one => one.SOPInstanceUID === instance.SOPInstanceUID && (!frame || (one.frameNumber ?? 1) === frame))
    .flatMap(one => {
      const words = [one.label, ...[one.displayText?.primary ?? []].flat()].filter(Boolean).join(' ').slice(0, 1000);
      return drawn(one.toolName, (one.points ?? []).map(pixels), words);
    });
  return {
    window,
    invert: Boolean(invert) === own ? '' : '1',
    area: placed.area.join(),
    rotation: String(placed.rotation),
    flip: placed.flipped ? '1' : '',
    annotations: JSON.stringify(annotations.slice(0, 200)),
  };
}

const at = study => `/studies/${encodeURIComponent(study)}/look`;
const about = ({ instance, frame }) => ({
  series: instance.SeriesInstanceUID,
  instance: instance.SOPInstanceUID,
  frame: String(frame),
  place: 'viewer',
});

/** What the archive answers. Throws an error with words for a person. */
async function ask(address, fields) {
  const how = fields && { method: 'POST', body: new URLSearchParams(Object.entries(fields).filter(([, value]) => value)) };
  const answer = await fetch(address, how).catch(() => undefined);
  const found = await answer?.json().catch(() => undefined);
  if (!answer?.ok) {
    throw new Error(found ? [found.error, found.hint].filter(Boolean).join(': ') : 'The archive does not answer. Try again.');
  }
  return found;
}

const made = (name, more, ...children) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...children);
  return element;
};

const STYLE = `
  .fileroom-dialog { margin: auto; padding: 1rem 1.5rem; border: 1px solid #3a4a66; border-radius: 0.4rem; background: #10172a; color: #e8ecf4; font: 1rem/1.5 system-ui, sans-serif; }
  .fileroom-dialog::backdrop { background: #000a; }
  .fileroom-dialog h2 { margin: 0 0 0.5rem; font-size: 1.1rem; font-weight: 600; }
  .fileroom-dialog p { margin: 0.5rem 0; }
  .fileroom-dialog select, .fileroom-button { padding: 0.25rem 0.75rem; border: 1px solid #6a7fa6; border-radius: 0.3rem; background: #1b2540; color: inherit; }
`;

/** Asks why the image is a key image, or whether a mark is to be taken back; what was done, in words, or undefined. */
async function marking(image) {
  const study = image.instance.StudyInstanceUID;
  const { keys, titles } = await ask(`${at(study)}/marks`);
  const here = keys.filter(
    one =>
      decodeURIComponent(one.image) === image.instance.SOPInstanceUID &&
      (!one.frames.length || one.frames.includes(image.frame))
  );
  const reason = made('select', { id: 'key-title', autofocus: true }, ...Object.entries(titles).map(([code, text]) => new Option(text, code)));
  const actions = new Map();
  const button = (text, act, value) => {
    actions.set(value, act);
    return made('button', { textContent: text, value, className: 'fileroom-button' });
  };
  const dialog = made(
    'dialog',
    { className: 'fileroom-dialog', ariaLabel: 'Key image' },
    made('style', { textContent: STYLE }),
    made(
      'form',
      { method: 'dialog' },
      made('h2', { textContent: 'Key image' }),
      ...here.map(one =>
        made(
          'p',
          {},
          `★ ${one.meaning} `,
          ...(one.ours
            ? [
                button(
                  'Take back',
                  async () => {
                    const [series, instance] = one.document;
                    await ask(`${at(study)}/take-back`, { series, instance, place: 'viewer' });
                    return 'Taken back: a second document says so; both stay stored.';
                  },
                  one.document[1]
                ),
              ]
            : [])
        )
      ),
      made('p', {}, made('label', {}, 'Reason: ', reason)),
      made(
        'p',
        {},
        button(
          'Mark',
          async () => {
            await ask(`${at(study)}/key`, { ...about(image), title: reason.value });
            return `Marked “${reason.selectedOptions[0].textContent}”: kept as a document in this study.`;
          },
          'mark'
        ),
        ' ',
        made('button', { textContent: 'Cancel', value: '', className: 'fileroom-button', type: 'submit' })
      )
    )
  );
  // Keys that are typed here are not the viewer's.
  dialog.addEventListener('keydown', event => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
  await new Promise(resolve => dialog.addEventListener('close', resolve, { once: true }));
  dialog.remove();
  return actions.get(dialog.returnValue)?.();
}

let busy = false; // one at a time, however often a button is pressed
async function keeping(title, services, act) {
  const { uiNotificationService } = services;
  const tell = (message, type) => uiNotificationService.show({ title, message, type });
  const image = active(services);
  if (busy || typeof image === 'string') {
    return busy ? undefined : tell(image, 'warning');
  }
  busy = true;
  try {
    const done = await act(image);
    if (done) {
      tell(done, 'success');
    }
  } catch (error) {
    tell(error.message, 'error');
  } finally {
    busy = false;
  }
}

const KEY = 'Key image';
const VIEW = 'Save the view';

let services; // of OHIF, once it has told them

const mark = () => void keeping(KEY, services, marking);
const save = () =>
  void keeping(VIEW, services, async image => {
    const fields = setting(image, services.measurementService);
    if (typeof fields === 'string') {
      throw new Error(fields);
    }
    await ask(`${at(image.instance.StudyInstanceUID)}/state`, { ...about(image), ...fields });
    return 'Kept how this image is shown, as a presentation state in this study.';
  });

const button = (id, icon, label, tooltip, commands) => ({
  id,
  uiType: 'ohif.toolButton',
  props: { icon, label, tooltip, commands, evaluate: 'evaluate.action' },
});

export default {
  id: 'fileroom.keeping',
  preRegistration({ servicesManager }) {
    ({ services } = servicesManager);
  },
  getCustomizationModule: () => [
    {
      name: 'global',
      value: {
        'cornerstone.toolbarButtons': {
          $push: [
            button('KeyImage', 'PinFill', KEY, 'Mark the image as a key image, or take a mark back', mark),
            button('SaveView', 'ViewportViews', VIEW, 'Keep how the image is shown, as a presentation state', save),
          ],
        },
        'cornerstone.toolbarSections': { primary: { $push: ['KeyImage', 'SaveView'] } },
      },
    },
  ],
};
