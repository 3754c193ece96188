import { action } from './index.js';
await action('scan', 'main', import.meta.dirname);
