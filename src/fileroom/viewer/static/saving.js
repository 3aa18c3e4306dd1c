// What the viewer saves (measurements, segmentations) is of the patient whose study it is, in every word that says so;
// and what the archive did not take does not look saved. Loaded by OHIF as an extension (viewer-config.js names it).

// Of a study's images, what its other objects have to agree with: OHIF leaves some of it out. The archive tells
// patients apart by ID and issuer, and keeps an object aside that names another than its study does.
const SHARED = [
  'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex',
  'AccessionNumber', 'StudyID', 'StudyDate', 'StudyTime', 'StudyDescription',
];

// Failure Reason (0008,1197) of objects that are kept, but apart.
const HELD = 0xc110;
const CONFLICT = 0x0111;

/** Gives the object, where it says nothing, what an image of its study says. Changes and returns it. */
export function completed(object, image) {
  for (const name of SHARED) {
    if ((object[name] === undefined || object[name] === '') && typeof image?.[name] === 'string' && image[name]) {
      object[name] = image[name];
    }
  }
  return object;
}

// Whose a study is, as the archive answers: a person may have filed an object of another patient in it.
const PATIENT = {
  PatientName: '00100010', PatientID: '00100020', IssuerOfPatientID: '00100021', PatientBirthDate: '00100030', PatientSex: '00100040',
};

/** Gives the object the study's patient where it names another; `row`: of a search for the study. Changes and returns it. */
export function owned(object, row) {
  const says = name => row[PATIENT[name]]?.Value?.[0] ?? '';
  if (['PatientID', 'IssuerOfPatientID'].some(name => (object[name] ?? '') !== says(name))) {
    for (const name of Object.keys(PATIENT)) {
      object[name] = name === 'PatientName' && says(name) ? [says(name)] : says(name);
    }
  }
  return object;
}

/** The study as a search finds it; undefined when it does not. */
async function found(studyUid) {
  const asked = `StudyInstanceUID=${encodeURIComponent(studyUid)}&includefield=IssuerOfPatientID`;
  const answer = await fetch(`/dicomweb/studies?${asked}`, { headers: { accept: 'application/dicom+json' } });
  return answer.ok ? (await answer.json())[0] : undefined;
}

/** What to tell a person when saving failed, from the status and the body of the archive's answer. */
export function trouble(status, body) {
  let reason;
  try {
    reason = JSON.parse(body)['00081198'].Value[0]['00081197'].Value[0];
  } catch {
    reason = undefined;
  }
  if (reason === HELD || reason === CONFLICT) {
    return 'Not saved in the study: the archive keeps it apart for a person to decide. See Conflicts.';
  }
  if (!status) {
    return 'Not saved: the archive does not answer. Save again when it does.';
  }
  if (status >= 500) {
    return 'Not saved: the archive cannot keep anything now. Save again later.';
  }
  return `Not saved: the archive refused it (${status}).`;
}

/** The function that stores, so that it completes what it stores and takes back what OHIF shows when it fails. */
function careful(store, displaySetService) {
  const sets = () => displaySetService.getActiveDisplaySets();
  return async (object, ...rest) => {
    const ofStudy = sets().filter(set => set.StudyInstanceUID === object.StudyInstanceUID);
    ofStudy.forEach(set => completed(object, set.instances?.[0]));
    const row = await found(object.StudyInstanceUID).catch(() => undefined); // storing says why, then
    if (row) {
      owned(object, row);
    }
    try {
      return await store(object, ...rest);
    } catch (error) {
      // OHIF lists it before it is stored.
      const unsaved = sets().filter(set => set.SOPInstanceUID === object.SOPInstanceUID);
      unsaved.forEach(set => displaySetService.deleteDisplaySet(set.displaySetInstanceUID));
      throw new Error(trouble(error.status, error.response));
    }
  };
}

const made = new WeakSet();

export default {
  id: 'fileroom.saving',
  onModeEnter({ servicesManager, extensionManager }) {
    const { displaySetService } = servicesManager.services;
    for (const { store } of extensionManager.getActiveDataSource()) {
      if (!made.has(store)) {
        made.add(store);
        store.dicom = careful(store.dicom, displaySetService);
      }
    }
  },
};
