import { action } from './index.js';
await action('build-sign', 'post', import.meta.dirname);
