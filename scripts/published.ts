/** What callers name, in everything that is written for them or that they copy. `npm run bump` writes this file. */
export const WORKFLOWS = 'example-health/compliance-workflows';
export const COMPONENTS = 'example-health/compliance-components';
/** The release that they pin. */
export const RELEASE = '1.0.0';
