import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildIndex } from '../../src/audit/build-index.ts';
import { openIndex } from '../../src/audit/open-index.ts';
import { collect } from '../../src/audit/report/collect.ts';
import { reportPage } from '../../src/audit/report/page.ts';
import { openStore } from '../../src/store/store.ts';
import { playAudit } from '../support/audit-scene.ts';
import { type Page, startBrowser } from '../support/browser.ts';
import { signerOfRole } from '../support/direct.ts';
import { forge, recordOf } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';

const AXE = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const HOSTILE = '<img src="http://127.0.0.1:9/x" onerror="document.title=1"><script>document.title=2</script>';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** The report over the auditor's scene, in which an attacker has signed a deploy with a name and a reason of markup. */
async function writeReport(): Promise<string> {
  const folder = sandbox.folder('report');
  const { scene, site, store, trust } = await playAudit(folder);
  await scene.registry.close();
  const { record } = recordOf(site, 'deploy.outcome');
  const changes = {
    run: { ...record.run, id: '6001', repository: HOSTILE },
    subjects: [{ name: HOSTILE, kind: 'image' as const, digest: `sha256:${'6'.repeat(64)}` }],
    environment: HOSTILE,
    outcome: 'error' as const,
    data: { ...record.data, error: HOSTILE, actor: HOSTILE },
  };
  await forge(site, record, changes, signerOfRole(site, 'deploy'), 'deploy');
  const index = sandbox.folder('index');
  await buildIndex(openStore(store, {}), JSON.parse(readFileSync(trust, 'utf8')), index, Date.now());
  const open = await openIndex(index);
  const range = { since: null, until: null };
  const file = join(folder, 'report.html');
  writeFileSync(file, reportPage(open.index, await collect(open, range), range));
  open.close();
  return file;
}

/** Ids of the rules that axe finds broken, with the elements. */
const violations = (page: Page) =>
  page.run<string[]>(
    `${AXE}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).slice(0, 3).join(' ')))`,
  );

describe('the report in a browser', () => {
  itWith('chromium')('is readable by everybody, asks for nothing, and takes no text for markup', async () => {
    const file = await writeReport();
    const page = await startBrowser();
    try {
      await page.open(`file://${file}`);
      expect(await page.run('document.title')).toMatch(/^Evidence report: /);
      expect(await page.run("document.querySelectorAll('img, script, iframe, link').length")).toBe(0);
      expect(await page.run<string>('document.body.innerText')).toContain(HOSTILE);
      for (const media of ['light', 'dark', 'print'] as const) {
        await page.look(media);
        expect({ media, found: await violations(page) }).toEqual({ media, found: [] });
      }
      // In the dark the page is dark: the reader's system was heard.
      await page.look('dark');
      expect(await page.run('getComputedStyle(document.body).backgroundColor')).toBe('rgb(26, 31, 35)');
      await page.look('light');
      expect(await page.run('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
      expect(await page.run('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true);
      expect(await page.printedPages()).toBeGreaterThan(3);
      // Every reference leads somewhere.
      expect(
        await page.run(
          "[...document.querySelectorAll('a[href]')].filter((a) => document.querySelector(a.getAttribute('href')) === null).length",
        ),
      ).toBe(0);
      expect(page.requests.filter((url) => url !== `file://${file}`)).toEqual([]);
      expect(page.said).toEqual([]);
    } finally {
      await page.close();
    }
  });

  itWith('chromium')('a planted image without words, and a planted script, are found', async () => {
    const folder = sandbox.folder('planted');
    const file = join(folder, 'bad.html');
    writeFileSync(file, '<html><body><img src="x.png"><script src="http://127.0.0.1:9/x.js"></script></body></html>');
    const page = await startBrowser();
    try {
      await page.open(`file://${file}`);
      expect((await violations(page)).join(' ')).toMatch(/image-alt.*html-has-lang|html-has-lang.*image-alt/s);
      expect(page.requests).toContain('http://127.0.0.1:9/x.js');
    } finally {
      await page.close();
    }
  });
});
