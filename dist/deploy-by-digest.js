import { action } from './index.js';
await action('deploy-by-digest', 'main', import.meta.dirname);
