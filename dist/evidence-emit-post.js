import { action } from './index.js';
await action('evidence-emit', 'post', import.meta.dirname);
