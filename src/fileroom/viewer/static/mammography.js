// How mammograms hang: the right breast on the left, the left on the right, chest walls together in the middle,
// the current examination beside its prior. Loaded by OHIF as an extension (config.js names it).

const NAME = 'fileroom-mammography';

// CID 4014, in SNOMED CT and in the older SNOMED RT; ViewPosition (0018,5101) says the same in a word.
const VIEWS = { 399162004: 'CC', 'R-10242': 'CC', 399368009: 'MLO', 'R-10226': 'MLO' };

const first = value => (Array.isArray(value) ? value[0] : value);
const all = value => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const firstInstance = displaySet => first(displaySet?.instances) ?? first(displaySet?.images);

/** 'R CC', 'L MLO' ... or undefined for what is not a whole-breast view in one of the two standard projections. */
export function viewOf(instance) {
  if (!instance || instance.Modality !== 'MG') {
    return undefined;
  }
  const code = first(instance.ViewCodeSequence)?.CodeValue;
  const view = VIEWS[code] ?? (code ? undefined : instance.ViewPosition);
  const shared = first(instance.SharedFunctionalGroupsSequence);
  const side =
    instance.ImageLaterality || first(shared?.FrameAnatomySequence)?.FrameLaterality || instance.Laterality;
  return ['L', 'R'].includes(side) && ['CC', 'MLO'].includes(view) ? `${side} ${view}` : undefined;
}

/** How well an image of a view stands for it: plain, processed, two-dimensional first. Zero: it does not. */
export function suitability(instance) {
  if (!viewOf(instance) || instance.PresentationIntentType === 'FOR PROCESSING') {
    return 0;
  }
  const modifiers = all(first(instance.ViewCodeSequence)?.ViewModifierCodeSequence);
  const plain = modifiers.length === 0 && instance.PartialView !== 'YES';
  return 1 + (plain ? 4 : 0) + ((instance.NumberOfFrames ?? 1) > 1 ? 0 : 2);
}

/**
 * Whether the image has to be turned over to hang with its chest wall towards the middle. Rows of a right breast run to
 * the back, of a left breast to the nipple (PS3.3 C.7.6.1.1.1); most units store them so.
 */
export function mirrored(instance) {
  const row = all(instance?.PatientOrientation)[0]?.[0];
  const side = viewOf(instance)?.[0];
  return (side === 'R' && row === 'A') || (side === 'L' && row === 'P');
}

/** The whole image, as large as fits, the chest wall against the viewport's edge: 0 the left one, 1 the right one. */
export function displayArea(edge, turnedOver) {
  // OHIF turns the viewport over after it has placed the image in it.
  const place = turnedOver ? 1 - edge : edge;
  return {
    storeAsInitialCamera: true,
    imageArea: [1, 1],
    imageCanvasPoint: { imagePoint: [place, 0.5], canvasPoint: [place, 0.5] },
  };
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

function selectors() {
  const of = when => [{ attribute: `${NAME}-place`, constraint: { equals: { value: when } }, required: true }];
  const suits = (least, more) => ({ attribute: `${NAME}-suitability`, constraint: { greaterThan: { value: least } }, ...more });
  const made = { prior: { studyMatchingRules: of('prior'), seriesMatchingRules: [suits(1, { required: true })] } };
  for (const when of ['current', 'prior']) {
    for (const view of ['R CC', 'L CC', 'R MLO', 'L MLO']) {
      made[`${when} ${view}`] = {
        studyMatchingRules: of(when),
        seriesMatchingRules: [
          { attribute: `${NAME}-view`, constraint: { equals: { value: view } }, required: true },
          suits(1, { required: true }),
          suits(3, { weight: 10 }),
          suits(5, { weight: 20 }),
          suits(7, { weight: 30 }),
        ],
      };
    }
  }
  return made;
}

function viewport(id) {
  const edge = id.includes('R ') ? 1 : 0;
  return {
    viewportOptions: {
      toolGroupId: 'default',
      viewportType: 'stack',
      allowUnmatchedView: true,
      displayArea: { custom: `${NAME}-displayArea`, edge, defaultValue: displayArea(edge, false) },
      flipHorizontal: { custom: `${NAME}-mirrored`, defaultValue: false },
    },
    displaySets: [{ id }],
  };
}

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
  ],
};

// Words stand where a breast is not: at the outer side of its viewport.
const isView = ({ referenceInstance }) => viewOf(referenceInstance) !== undefined;
const isLeft = ({ referenceInstance }) => viewOf(referenceInstance)?.[0] === 'L';
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
    ({ referenceInstance }) => viewOf(referenceInstance) ?? referenceInstance.SeriesDescription
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
    add('view', displaySet => viewOf(firstInstance(displaySet)));
    add('suitability', displaySet => suitability(firstInstance(displaySet)));
    // These two are asked with the display sets of a viewport, on the options that name them.
    const turnedOver = displaySets => mirrored(firstInstance(first(displaySets)));
    add('mirrored', turnedOver);
    add('displayArea', function (displaySets) {
      return displayArea(this.edge, turnedOver(displaySets));
    });
  },
  getHangingProtocolModule: () => [{ name: NAME, protocol }],
  getCustomizationModule: () => [{ name: 'global', value: { 'ohif.tours': { $set: [] }, ...overlays } }],
};
