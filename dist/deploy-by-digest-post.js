import { action } from './index.js';
await action('deploy-by-digest', 'post', import.meta.dirname);
