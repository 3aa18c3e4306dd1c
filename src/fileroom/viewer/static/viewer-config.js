// How OHIF is set up in Fileroom: one archive, this one; its own study list stays out; nothing leaves this host.
'use strict';

window.PUBLIC_URL = '/viewer/';
window.browserImportFunction = name => import(name);

(() => {
  const archive = window.location.origin + '/dicomweb';
  // A module of ours: where it lies, this script was told by the page.
  const extension = document.currentScript.dataset.extension;

  // OHIF loads what it was built with; these are for data and tools that cannot be reached from here.
  const unused = [
    '@ohif/extension-dicom-microscopy',
    '@ohif/extension-test',
    '@ohif/mode-microscopy',
    '@ohif/mode-test',
    '@ohif/mode-basic-dev-mode',
    '@ohif/mode-preclinical-4d',
  ];
  const leaveOut = list => {
    for (const name of unused) {
      const at = list ? list.indexOf(name) : -1;
      if (at >= 0) {
        list.splice(at, 1);
      }
    }
  };

  window.config = () => {
    leaveOut(window.extensions);
    leaveOut(window.modes);
    return {
      routerBasename: '/viewer',
      extensions: [extension],
      modes: [],
      showStudyList: false,
      showPatientInfo: 'visible',
      measurementTrackingMode: 'simplified',
      showErrorDetails: 'always',
      showLoadingIndicator: true,
      showWarningMessageForCrossOrigin: false,
      showCPUFallbackMessage: true,
      strictZSpacingForVolumeViewport: true,
      groupEnabledModesFirst: true,
      investigationalUseDialog: { option: 'never' },
      maxNumberOfWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1)),
      // A browser opens six connections to a host; what is looked at must never wait behind what is not.
      maxNumRequests: { interaction: 6, thumbnail: 2, prefetch: 4 },
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
            omitQuotationForMultipartRequest: false,
          },
        },
      ],
      httpErrorHandler: error => console.warn('The archive answered', error.status, error.statusText || ''),
    };
  };
})();
