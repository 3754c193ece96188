import type { Tool } from '../reading.ts';
import { checkov } from './checkov.ts';
import { gitleaks } from './gitleaks.ts';
import { osvScanner } from './osv-scanner.ts';
import { sarif } from './sarif.ts';
import { semgrep } from './semgrep.ts';
import { trivy } from './trivy.ts';

/** Every reader. `sarif` reads the SARIF of any tool. */
export const tools: readonly Tool[] = [trivy, semgrep, gitleaks, checkov, osvScanner, sarif];
