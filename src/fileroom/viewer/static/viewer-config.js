// How OHIF is set up in Fileroom: one archive, this one; its own study list stays out; nothing leaves this host.
'use strict';

window.PUBLIC_URL = '/viewer/';
window.browserImportFunction = name => import(name);

(() => {
  const archive = window.location.origin + '/dicomweb';
  // Modules of ours: where they lie, this script was told by the page.
  const extensions = document.currentScript.dataset.extensions.split(' ');

  // Of what OHIF was built with, the parts that show and measure; the rest is research, microscopy and demonstrations.
  const wanted = [
    '@ohif/extension-default',
    '@ohif/extension-cornerstone',
    '@ohif/extension-cornerstone-dicom-sr',
    '@ohif/extension-cornerstone-dicom-seg',
    '@ohif/extension-cornerstone-dicom-pmap',
    '@ohif/extension-cornerstone-dicom-rt',
    '@ohif/extension-dicom-pdf',
    '@ohif/extension-dicom-video',
    '@ohif/mode-basic',
  ];
  const keepWanted = list => list.splice(0, list.length, ...list.filter(name => wanted.includes(name)));

  window.config = () => {
    // Asked once, after OHIF has filled these lists and before it reads them.
    window.dispatchEvent(new Event('fileroom:starting')); // early.js waits for that
    keepWanted(window.extensions);
    keepWanted(window.modes);
    return {
      routerBasename: '/viewer',
      extensions,
      modes: [],
      // Measures and saves without asking first whether to keep track of what was measured.
      modesConfiguration: { '@ohif/mode-basic': { routeName: { $set: 'viewer' }, displayName: { $set: 'Viewer' } } },
      showStudyList: false,
      showPatientInfo: 'visible',
      showErrorDetails: 'always',
      showLoadingIndicator: true,
      showWarningMessageForCrossOrigin: false,
      showCPUFallbackMessage: true,
      strictZSpacingForVolumeViewport: true,
      groupEnabledModesFirst: true,
      investigationalUseDialog: { option: 'never' },
      maxNumberOfWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1)),
      // A browser opens six connections to a host; what is looked at must never wait behind what is not, and of large
      // images few at a time come one after the other, sooner than many together.
      maxNumRequests: { interaction: 3, thumbnail: 2, prefetch: 5 },
      whiteLabeling: {
        createLogoComponentFn: React =>
          React.createElement(
            'a',
            { href: '/', className: 'text-foreground text-base font-semibold', title: 'To the study list' },
            'Fileroom'
          ),
      },
      defaultDataSourceName: 'fileroom',
      dataSources: [
        {
          namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
          sourceName: 'fileroom',
          configuration: {
            friendlyName: 'Fileroom',
            name: 'fileroom',
            qidoRoot: archive,
            wadoRoot: archive,
            qidoSupportsIncludeField: true,
            supportsFuzzyMatching: false,
            supportsWildcard: true,
            supportsReject: false,
            supportsStow: true,
            imageRendering: 'wadors',
            thumbnailRendering: 'thumbnail',
            thumbnailRequestStrategy: 'fetch',
            enableStudyLazyLoad: true,
            singlepart: 'bulkdata,video,pdf',
            bulkDataURI: { enabled: true },
            // One frame as it is, not as the only part of several, whose end would be looked for byte by byte.
            acceptHeader: ['application/octet-stream; transfer-syntax=*'],
            // Whole frames: to look at each anew for every piece of it that arrives costs a second at 17 MB.
            stackRetrieveOptions: { retrieveOptions: { single: { streaming: false } } },
          },
        },
      ],
      httpErrorHandler: error => console.warn('The archive answered', error.status, error.statusText || ''),
    };
  };
})();
