import { action } from './index.js';
await action('policy-gate', 'main', import.meta.dirname);
