// How mammograms hang: the right breast on the left, the left on the right, chest walls together in the middle,
// the current examination beside its prior. Loaded by OHIF as an extension (viewer-config.js names it).

const NAME = 'fileroom-mammography';

// CID 4014, in SNOMED CT and in the older SNOMED RT; ViewPosition (0018,5101) says the same in a word.
const VIEWS = { 399162004: 'CC', 'R-10242': 'CC', 399368009: 'MLO', 'R-10226': 'MLO' };

const first = value => (Array.isArray(value) ? value[0] : value);
const all = value => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const firstInstance = displaySet => first(displaySet?.instances) ?? first(displaySet?.images);

/** 'R', 'L', or undefined for what is not a mammogram of one side. */
export function sideOf(instance) {
  if (instance?.Modality !== 'MG') {
    return undefined;
  }
  const shared = first(instance.SharedFunctionalGroupsSequence);
  const side =
    instance.ImageLaterality || first(shared?.FrameAnatomySequence)?.FrameLaterality || instance.Laterality;
  return ['L', 'R'].includes(side) ? side : undefined;
}

/** 'R CC', 'L MLO' ... or undefined for what is not a whole-breast view in one of the two standard projections. */
export function viewOf(instance) {
  const side = sideOf(instance);
  const code = first(instance?.ViewCodeSequence)?.CodeValue;
  const view = VIEWS[code] ?? (code ? undefined : instance?.ViewPosition);
  return side && ['CC', 'MLO'].includes(view) ? `${side} ${view}` : undefined;
}

const modifiers = instance => all(first(instance?.ViewCodeSequence)?.ViewModifierCodeSequence);
const unprocessed = instance => instance.PresentationIntentType === 'FOR PROCESSING';

/** How well an image of a view stands for it: processed, plain, two-dimensional first. Zero: it does not. */
export function suitability(instance) {
  if (!viewOf(instance)) {
    return 0;
  }
  const plain = modifiers(instance).length === 0 && instance.PartialView !== 'YES';
  const flat = (instance.NumberOfFrames ?? 1) <= 1;
  return 1 + (unprocessed(instance) ? 0 : 8) + (plain ? 4 : 0) + (flat ? 2 : 0);
}

const SLOTS = ['R CC', 'L CC', 'R MLO', 'L MLO'];

/**
 * Where the images of one study hang, by display set: the best of each standard view in its slot, the others behind
 * them, in 'further 1' and so on. When not one is a standard view, they take the slots themselves, by side if they can.
 */
export function slots(displaySets) {
  const images = displaySets
    .map(set => ({ uid: set.displaySetInstanceUID, instance: firstInstance(set), number: Number(set.SeriesNumber) || 0 }))
    .filter(({ instance }) => instance?.Rows)
    .sort((one, other) => one.number - other.number || one.instance.InstanceNumber - other.instance.InstanceNumber);
  const hung = new Map();
  const taken = new Set();
  const put = (image, slot) => {
    hung.set(image.uid, slot);
    taken.add(slot);
  };
  for (const slot of SLOTS) {
    const [best] = images
      .filter(({ instance }) => viewOf(instance) === slot)
      .sort((one, other) => suitability(other.instance) - suitability(one.instance));
    if (best) {
      put(best, slot);
    }
  }
  const anywhere = taken.size === 0;
  let behind = 0;
  const others = images.filter(({ uid }) => !hung.has(uid));
  const last = ({ instance }) => Number(unprocessed(instance));
  for (const image of others.sort((one, other) => last(one) - last(other))) {
    const side = sideOf(image.instance);
    const free = anywhere && SLOTS.find(slot => !taken.has(slot) && (!side || slot[0] === side));
    put(image, free || `further ${(behind += 1)}`);
  }
  return hung;
}

const OPPOSITE = { A: 'P', P: 'A', R: 'L', L: 'R', H: 'F', F: 'H' };

/** A direction cosine as Patient Orientation writes it: the letters it runs to, the one it runs to most first. */
function letters(cosine) {
  const axes = cosine.map((value, at) => [Math.abs(value), (value > 0 ? 'LPH' : 'RAF')[at]]);
  return axes.filter(([length]) => length > 0.2).sort((one, other) => other[0] - one[0]).map(([, letter]) => letter).join('');
}

/** Where rows and columns run to, as in Patient Orientation (0020,0020): ['P', 'FL']. Undefined when nothing says so. */
export function orientation(instance) {
  const groups = [instance, first(instance?.SharedFunctionalGroupsSequence), first(instance?.PerFrameFunctionalGroupsSequence)];
  for (const group of groups) {
    const told = group?.PatientOrientation ?? first(group?.PatientOrientationInFrameSequence)?.PatientOrientation;
    if (Array.isArray(told) && told.length === 2 && told.every(word => OPPOSITE[word?.[0]])) {
      return told;
    }
    const cosines = group?.ImageOrientationPatient ?? first(group?.PlaneOrientationSequence)?.ImageOrientationPatient;
    if (Array.isArray(cosines) && cosines.length === 6) {
      return [letters(cosines.slice(0, 3).map(Number)), letters(cosines.slice(3).map(Number))];
    }
  }
  return undefined;
}

/**
 * How a mammogram has to be turned to hang with its chest wall towards the middle and the head (CC: the outer side) up:
 * clockwise by `rotation` degrees, then mirrored left to right when `flip`. Rows of a right breast then run to the
 * back, of a left one to the nipple; columns to the feet or inwards (PS3.3 C.7.6.1.1.1). As it is when nobody says.
 */
export function turn(instance) {
  const side = sideOf(instance);
  const [row, column] = orientation(instance) ?? [];
  if (!side || !row || contradictory(row, column)) {
    return { rotation: 0, flip: false };
  }
  const runs = (direction, ...there) => there.includes(direction[0]);
  const [back, front] = side === 'R' ? ['P', 'A'] : ['A', 'P'];
  const [inwards, outwards] = side === 'R' ? ['L', 'R'] : ['R', 'L'];
  const upwards = direction => runs(direction, 'H', outwards);
  if (runs(column, back, front) && runs(row, 'H', 'F', inwards, outwards)) {
    return upwards(row) ? { rotation: 270, flip: runs(column, front) } : { rotation: 90, flip: runs(column, back) };
  }
  return upwards(column) ? { rotation: 180, flip: runs(row, back) } : { rotation: 0, flip: runs(row, front) };
}

/** Whether rows and columns cannot both run so: of a breast, one of them runs front to back, the other across. */
function contradictory(row, column) {
  const deep = direction => 'AP'.includes(direction[0]);
  return deep(row) === deep(column);
}

// What OHIF passes to a viewport's setDisplayArea; where it lies in the viewport is said by `hang`.
const WHOLE = { storeAsInitialCamera: true, imageArea: [1, 1] };

/**
 * Hangs what the viewport shows: turned, as large as fits, the chest wall against the viewport's inner edge. OHIF's
 * protocols can mirror only. It hangs so again whenever the viewport is resized or reset, which place it by
 * setDisplayArea.
 */
function hang(viewport, instance) {
  const { rotation, flip } = turn(instance);
  const fit = Object.getPrototypeOf(viewport).setDisplayArea;
  viewport.setDisplayArea = area => {
    if (!area || !viewport.getImageData()) {
      return;
    }
    fit.call(viewport, WHOLE, true);
    viewport.setCamera({ flipHorizontal: flip });
    viewport.setRotation(flip ? (360 - rotation) % 360 : rotation);
    const { width, height, scale } = box(viewport);
    const { clientWidth, clientHeight } = viewport.element;
    viewport.setZoom(viewport.getZoom() * Math.min(clientWidth / width, clientHeight / height));
    const placed = box(viewport);
    const left = sideOf(instance) === 'R' ? clientWidth - placed.width : 0;
    const top = (clientHeight - placed.height) / 2;
    const [x, y] = viewport.getPan();
    viewport.setPan([x + (left - placed.left) / scale, y + (top - placed.top) / scale]);
    viewport.setInitialCamera(viewport.getCamera());
  };
  viewport.setDisplayArea(WHOLE);
  viewport.render();
}

/**
 * Where in the viewport the image will lie once it is drawn, in pixels. While the viewport is being resized its canvas
 * still has the old size; `scale` is how much larger what is drawn on it will be.
 */
function box(viewport) {
  const { canvas, element } = viewport;
  const [width, height] = [canvas.width, canvas.height].map(pixels => pixels / (window.devicePixelRatio || 1));
  const scale = element.clientHeight / height;
  const { imageData } = viewport.getImageData();
  const [columns, rows] = imageData.getDimensions();
  const corners = [[-0.5, -0.5, 0], [columns - 0.5, rows - 0.5, 0]];
  const [one, other] = corners
    .map(corner => viewport.worldToCanvas(imageData.indexToWorld(corner)))
    .map(([x, y]) => [(x - width / 2) * scale + element.clientWidth / 2, (y - height / 2) * scale + element.clientHeight / 2]);
  return {
    left: Math.min(one[0], other[0]),
    top: Math.min(one[1], other[1]),
    width: Math.abs(one[0] - other[0]),
    height: Math.abs(one[1] - other[1]),
    scale,
  };
}

/**
 * Where the picture runs to at its edges on the screen, by edge: there, rows and columns, which run to `runs` (Patient
 * Orientation), lie along `ways`, [x, y] each.
 */
export function edges(runs, ways) {
  const found = {};
  runs.forEach((word, which) => {
    const [x, y] = ways[which];
    const flat = Math.abs(x) >= Math.abs(y);
    const ends = flat ? ['left', 'right'] : ['top', 'bottom'];
    const [from, to] = (flat ? x : y) > 0 ? ends : ends.reverse();
    found[to] = word;
    found[from] = [...word].map(letter => OPPOSITE[letter] ?? '').join('');
  });
  return found;
}

const lettered = new WeakMap(); // a viewport's element to what is written on it

/**
 * Writes those letters at the upper and the outer edge of a mammogram's viewport, as it is turned now and after every
 * turn by hand: OHIF writes none on projections. Without an instance it writes nothing there any more.
 */
function letter(viewport, instance) {
  const { element } = viewport;
  if (!lettered.has(element)) {
    lettered.set(element, { marks: ['top', 'left', 'right'].map(mark) });
    for (const change of ['CORNERSTONE_CAMERA_MODIFIED', 'CORNERSTONE_IMAGE_RENDERED']) {
      element.addEventListener(change, () => write(element));
    }
  }
  lettered.get(element).instance = instance;
  write(element);
}

function write(element) {
  const { marks, instance } = lettered.get(element);
  const viewport = window.cornerstone.getEnabledElement(element)?.viewport; // the element may have got another one
  const runs = instance && shows(viewport, instance) && orientation(instance);
  const shown = runs && !contradictory(...runs) ? edges(runs, ways(viewport)) : {};
  const inner = sideOf(instance) === 'L' ? 'left' : 'right';
  marks.forEach(span => (span.textContent = span.dataset.edge === inner ? '' : (shown[span.dataset.edge] ?? '')));
  element.append(...marks.filter(span => span.parentNode !== element));
}

/** Whether it is this one that is seen: another may be on its way, or may not come. */
function shows(viewport, instance) {
  return Boolean(viewport?.getImageData?.() && viewport.getCurrentImageId?.()?.includes(instance.SOPInstanceUID));
}

/** How rows and columns lie on the screen: [x, y] each. */
function ways(viewport) {
  const { imageData } = viewport.getImageData();
  const [origin, row, column] = [[0, 0, 0], [9, 0, 0], [0, 9, 0]].map(at => viewport.worldToCanvas(imageData.indexToWorld(at)));
  return [row, column].map(([x, y]) => [x - origin[0], y - origin[1]]);
}

function mark(edge) {
  const span = document.createElement('span');
  span.className = 'fileroom-letters';
  span.dataset.edge = edge;
  Object.assign(span.style, { position: 'absolute', pointerEvents: 'none', color: '#a9c7ff', textShadow: '0 0 2px #000' });
  Object.assign(span.style, edge === 'top' ? { top: '2px', left: '50%' } : { top: '50%', [edge]: '4px' });
  return span;
}

/** 'current' for the first study, 'prior' for the second when it is of the same person, 'other' for all else. */
export function place(study, options) {
  const [current] = options?.studies ?? [];
  const person = one => {
    const instance = firstInstance(first(one?.series));
    return instance && JSON.stringify([instance.PatientID, instance.PatientBirthDate, instance.IssuerOfPatientID]);
  };
  if (options?.studyInstanceUIDsIndex === 0) {
    return 'current';
  }
  const same = person(study) !== undefined && person(study) === person(current);
  return options?.studyInstanceUIDsIndex === 1 && same ? 'prior' : 'other';
}

const FURTHER = [1, 2, 3, 4, 5, 6, 7, 8].map(number => `further ${number}`);

function selectors() {
  const is = (name, value) => [{ attribute: `${NAME}-${name}`, constraint: { equals: { value } }, required: true }];
  const made = { prior: { studyMatchingRules: is('place', 'prior'), seriesMatchingRules: is('stands', 'in front') } };
  for (const when of ['current', 'prior']) {
    for (const slot of [...SLOTS, ...FURTHER]) {
      made[`${when} ${slot}`] = { studyMatchingRules: is('place', when), seriesMatchingRules: is('slot', slot) };
    }
  }
  return made;
}

const viewport = id => ({
  viewportOptions: { toolGroupId: 'default', viewportType: 'stack', allowUnmatchedView: true, displayArea: WHOLE },
  displaySets: [{ id }],
});

/** `activation` says when a stage is offered; OHIF offers it always when it is left out. */
function stage(name, rows, activation = {}) {
  return {
    id: name.toLowerCase().replaceAll(' ', '-'),
    name,
    stageActivation: activation,
    viewportStructure: { layoutType: 'grid', properties: { rows: rows.length, columns: rows[0].length } },
    viewports: rows.flat().map(viewport),
  };
}

const WITH_PRIOR = { passive: { displaySetSelectorsMatched: ['prior'] } };
const further = (...numbers) => numbers.map(number => `current further ${number}`);
const WITH_FURTHER = number => ({ passive: { displaySetSelectorsMatched: further(number) } });
const pair = (when, view) => [`${when} R ${view}`, `${when} L ${view}`];

export const protocol = {
  id: NAME,
  name: 'Mammography',
  description: 'CC and MLO, chest walls together, current beside prior',
  numberOfPriorsReferenced: 1,
  toolGroupIds: ['default'],
  protocolMatchingRules: [{ attribute: 'ModalitiesInStudy', constraint: { contains: 'MG' }, weight: 100, required: true }],
  displaySetSelectors: selectors(),
  // The first one shows unless the address names another (stageId), which then has to be on offer.
  stages: [
    stage('Current', [pair('current', 'CC'), pair('current', 'MLO')]),
    stage('Current beside prior', [
      [...pair('current', 'CC'), ...pair('prior', 'CC')],
      [...pair('current', 'MLO'), ...pair('prior', 'MLO')],
    ]),
    stage('CC above prior', [pair('current', 'CC'), pair('prior', 'CC')], WITH_PRIOR),
    stage('MLO above prior', [pair('current', 'MLO'), pair('prior', 'MLO')], WITH_PRIOR),
    stage('CC', [pair('current', 'CC')]),
    stage('MLO', [pair('current', 'MLO')]),
    stage('Further images', [further(1, 2), further(3, 4)], WITH_FURTHER(1)),
    stage('More further images', [further(5, 6), further(7, 8)], WITH_FURTHER(5)),
  ],
};

/** What is said of an image: which view it is, and what makes it another than the plain one. */
export function told(instance) {
  const view = viewOf(instance);
  const more = view ? modifiers(instance).map(code => code?.CodeMeaning).filter(Boolean) : [];
  const runs = orientation(instance);
  if (sideOf(instance) && !runs) {
    more.push('orientation not stated');
  } else if (sideOf(instance) && contradictory(...runs)) {
    more.push('orientation contradictory');
  }
  const { rotation, flip } = turn(instance);
  if (flip || rotation) {
    more.push(`stored ${[flip && 'mirrored', rotation && 'turned'].filter(Boolean).join(' and ')}`);
  }
  if (view && unprocessed(instance)) {
    more.push('for processing');
  }
  return [view ?? instance.SeriesDescription, ...more].filter(Boolean).join(', ');
}

// Words stand where a breast is not: at the outer side of its viewport.
const isView = ({ referenceInstance }) => viewOf(referenceInstance) !== undefined;
const isLeft = ({ referenceInstance }) => sideOf(referenceInstance) === 'L';
const isNotLeft = props => !isLeft(props);
const label = (id, title, condition, contentF) => ({ id, inheritsFrom: 'ohif.overlayItem', label: '', title, condition, contentF });
const date = (id, condition) =>
  label(
    id,
    'Study date',
    props => props.referenceInstance?.StudyDate && condition(props),
    ({ referenceInstance, formatters }) => formatters.formatDate(referenceInstance.StudyDate)
  );
const description = (id, condition) =>
  label(
    id,
    'Side and view, or series description',
    props => props.referenceInstance && condition(props),
    ({ referenceInstance }) => told(referenceInstance)
  );
const level = (id, condition) => ({ id, inheritsFrom: 'ohif.overlayItem.windowLevel', title: 'Window and level', condition });

const overlays = {
  'viewportOverlay.topLeft': { $set: [date('StudyDate', isNotLeft), description('Description', isNotLeft)] },
  'viewportOverlay.topRight': { $set: [date('StudyDateLeft', isLeft), description('DescriptionLeft', isLeft)] },
  'viewportOverlay.bottomLeft': { $set: [level('WindowLevel', isNotLeft)] },
  'viewportOverlay.bottomRight': {
    $set: [
      level('WindowLevelLeft', isLeft),
      {
        id: 'InstanceNumber',
        inheritsFrom: 'ohif.overlayItem.instanceNumber',
        title: 'Image number',
        condition: props => !isView(props) || (props.referenceInstance.NumberOfFrames ?? 1) > 1,
      },
    ],
  },
};

export default {
  id: 'fileroom.mammography',
  preRegistration({ servicesManager }) {
    const { hangingProtocolService } = servicesManager.services;
    const add = (name, of) => hangingProtocolService.addCustomAttribute(`${NAME}-${name}`, name, of);
    add('place', place);
    const slot = (set, options) => slots(options?.displaySets ?? []).get(set.displaySetInstanceUID);
    add('slot', slot);
    add('stands', (set, options) => (SLOTS.includes(slot(set, options)) ? 'in front' : 'behind'));
    const { cornerstoneViewportService: viewports, displaySetService } = servicesManager.services;
    viewports.subscribe(viewports.EVENTS.VIEWPORT_DATA_CHANGED, ({ viewportId, viewportData }) => {
      const viewport = viewports.getCornerstoneViewport(viewportId);
      const [shown] = viewportData.data;
      const instance = firstInstance(displaySetService.getDisplaySetByUID(shown?.displaySetInstanceUID));
      const ours = hangingProtocolService.getActiveProtocol()?.protocol?.id === NAME && viewport?.type === 'stack';
      if (ours && sideOf(instance)) {
        hang(viewport, instance);
      } else if (viewport) {
        delete viewport.setDisplayArea;
      }
      if (viewport?.type === 'stack') {
        letter(viewport, sideOf(instance) && instance);
      }
    });
  },
  getHangingProtocolModule: () => [{ name: NAME, protocol }],
  getCustomizationModule: () => [{ name: 'global', value: { 'ohif.tours': { $set: [] }, ...overlays } }],
};
