import { action } from './index.js';
await action('build-sign', 'main', import.meta.dirname);
