import { action } from './index.js';
await action('evidence-emit', 'main', import.meta.dirname);
