import { action } from './index.js';
await action('scan', 'post', import.meta.dirname);
