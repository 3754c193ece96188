import { action } from './index.js';
await action('policy-gate', 'post', import.meta.dirname);
