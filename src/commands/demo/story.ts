import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CouldNot } from '../../lib/errors.ts';
import { plural } from '../../lib/plural.ts';
import { askQuestions } from './questions.ts';
import { type Point, REFUSALS, SOURCE_REPORTS, type Story } from './refusals.ts';
import { copySite, laySite, REPOSITORY, registerDraft, type Site, siteAt } from './site.ts';
import {
  approve,
  bareEnvironment,
  decideDeploy,
  deploy,
  gatehouse,
  layGitops,
  open,
  promote,
  type Said,
  scan,
  seal,
  sign,
  withKey,
} from './steps.ts';

/** One line of the demo's outcome. */
export interface Told {
  title: string;
  /** As expected, or not. */
  ok: boolean;
  detail: string;
  milliseconds: number;
  /** Rules that failed, of a refusal. */
  rules?: string[];
}

export interface Telling {
  home: string;
  sample: string;
  /** Scanner reports with their sidecars. */
  reports: string;
  /** An empty folder for everything. */
  folder: string;
  registry: string;
  /** Where the auditor's report goes. */
  report: string;
  /** Whether all of it stays. */
  kept: boolean;
  begin(title: string): void;
  end(told: Told): void;
}

/** The whole demo: one image promoted end to end, eight refusals, and an auditor's look at the store. Gives every step in order. */
export async function tell(telling: Telling): Promise<Told[]> {
  const told: Told[] = [];
  const { reports } = telling;
  const name = `${telling.registry}/${REPOSITORY}`;
  const site = laySite(join(telling.folder, 'site'), telling.home, reports, telling.registry);
  const points = new Map<Point, Site>();
  const keep = (point: Point) => points.set(point, copySite(site, join(telling.folder, `at-${points.size}`)));
  const step = async (title: string, act: () => Promise<Told | Omit<Told, 'title' | 'milliseconds'>>) => {
    telling.begin(title);
    const started = Date.now();
    const outcome = { ...(await act()), title, milliseconds: Date.now() - started };
    told.push(outcome);
    telling.end(outcome);
    return outcome;
  };
  /** A step of the allowed run must be exit 0; gives what it said. */
  const must = async (title: string, act: () => Promise<Said>, detail: (said: Said) => string): Promise<Said> => {
    let said: Said | undefined;
    const { ok } = await step(title, async () => {
      said = await act();
      return { ok: said.code === 0, detail: said.code === 0 ? detail(said) : said.text.trim() };
    });
    if (!ok) throw new CouldNot('demo.failed', `the demo stops: "${title}" ended with exit ${said?.code}`);
    return said as Said;
  };

  await must(
    'the fork’s contract is read',
    () => gatehouse(site, 'contract', 'check'),
    ({ json }) => `valid; ${plural(json.weak.length, 'weak point')}, as a demo has them`,
  );
  await must(
    'role release signs the register',
    () => publishRegister(site),
    ({ json }) => `register ${json.number}, ${plural(json.keys.length, 'key')}`,
  );
  await layGitops(site, telling.sample, name);

  await must(
    'a run is opened',
    () => open(site),
    ({ json }) => json.key,
  );
  keep('opened');
  const layout = join(telling.sample, 'image');
  const built = await must(
    'the image is checked, without a key',
    () => gatehouse(site, 'build-sign', '--phase', 'build', '--layout', layout),
    ({ json }) => json.digest,
  );
  const signed = await must(
    'pushed by digest, listed, signed, read back',
    () => sign(site, layout, built.json.digest, name),
    ({ json }) => `${json.statements.length} signed statements on ${json.image}`,
  );
  const image = signed.json.image as string;
  for (const report of SOURCE_REPORTS)
    await must(`${report}: its report is recorded`, () => scan(site, reports, report, null), scanned);
  keep('before the image scan');
  await must('trivy: its report is recorded and attested', () => scan(site, reports, 'trivy', image), scanned);
  keep('scanned');
  await must('the gate judges: promote', () => promote(site, image), decided);
  keep('promoted');
  approve(site, '201');
  const allowed = await must(
    'approved by a named person; the gate judges: deploy',
    () => decideDeploy(site, image),
    decided,
  );
  keep('decided');
  await must(
    'deployed by digest, as a commit',
    () => deploy(site, image, allowed.json.key),
    ({ json }) => `commit ${json.commit.slice(0, 12)}, decision used up`,
  );
  keep('deployed');
  await must(
    'the run is sealed',
    () => seal(site),
    ({ json }) => json.key,
  );

  const story: Story = {
    sample: telling.sample,
    reports,
    registry: telling.registry,
    image,
    decision: allowed.json.key,
  };
  for (const [i, refusal] of REFUSALS.entries()) {
    await step(`refused: ${refusal.title}`, async () => {
      const said = await refusal.act(
        copySite(points.get(refusal.from) as Site, join(telling.folder, `refusal-${i}`)),
        story,
      );
      const failed = (said.json.reasons ?? []).filter((reason: { outcome: string }) => reason.outcome === 'fail');
      const rules = failed.map((reason: { rule: string }) => reason.rule);
      return {
        ok: said.code === 1 && rules.length === 1 && rules[0] === refusal.rule,
        rules,
        detail:
          failed.map((reason: { rule: string; message: string }) => `${reason.rule}: ${reason.message}`).join('; ') ||
          said.text.trim(),
      };
    });
  }
  const trust = await audit(site, telling, must, step, allowed.json.key);
  const refused = siteOf('approval.independent', telling, site);
  const asked = {
    site,
    refused,
    trust,
    folder: join(telling.folder, 'index'),
    report: telling.report,
    kept: telling.kept,
  };
  telling.begin('an auditor asks');
  let since = Date.now();
  await askQuestions(asked, (shown) => {
    const outcome = { ...shown, milliseconds: Date.now() - since };
    since = Date.now();
    told.push(outcome);
    telling.end(outcome);
  });
  return told;
}

type Must = (title: string, act: () => Promise<Said>, detail: (said: Said) => string) => Promise<Said>;
type Step = (title: string, act: () => Promise<Omit<Told, 'title' | 'milliseconds'>>) => Promise<Told>;

/** The site of the run that this rule refused. */
function siteOf(rule: string, { folder }: Telling, { keys }: Site): Site {
  return siteAt(join(folder, `refusal-${REFUSALS.findIndex((refusal) => refusal.rule === rule)}`), keys);
}

/**
 * Years later: a tree head kept elsewhere, a clean store, one altered record that is found, a decision judged again. Gives the
 * auditor's trust file.
 */
async function audit(site: Site, telling: Telling, must: Must, step: Step, decision: string): Promise<string> {
  const outside = join(telling.folder, 'outside');
  mkdirSync(outside);
  await must(
    'the notary signs a tree head, kept outside the store',
    () => withKey(site, 'notary', 'ledger', 'checkpoint', '--out', join(outside, 'head')),
    ({ json }) => `over ${plural(json.size, 'object')}`,
  );
  // Beside the report, whose commands name it so.
  const trust = join(telling.folder, 'trust.json');
  writeFileSync(
    trust,
    JSON.stringify({
      schema: 'gatehouse/trust/1',
      ...publicKeys(site),
      checkpoint: readFileSync(join(outside, 'head'), 'utf8'),
    }),
  );
  const check = (of: Site) =>
    gatehouse(of, 'ledger', 'verify', '--store', `file://${of.path('store')}`, '--trust', trust);
  await must(
    'an auditor verifies the store',
    () => check(site),
    ({ json }) =>
      `clean: ${plural(json.records, 'record')}, anchored by the tree head ${json.anchor.origin} over ${plural(json.anchor.size, 'object')}`,
  );
  await step('one record is altered on disk; the auditor looks again', async () => {
    const altered = copySite(site, join(telling.folder, 'altered'));
    const victim = alterOneRecord(altered);
    const { code, json } = await check(altered);
    const found = json.findings.filter(
      (finding: { code: string; key: string }) => finding.code === 'MODIFIED' && finding.key === victim,
    );
    return { ok: code === 1 && found.length === 1, detail: `MODIFIED ${victim}` };
  });
  await must(
    'the decision is judged again from what was stored',
    () => gatehouse(site, 'replay', decision),
    ({ json }) => `equal bytes, ${json.replayed}`,
  );
  return trust;
}

async function publishRegister(site: Site): Promise<Said> {
  const { json: release } = await gatehouse(site, 'register', 'release');
  writeFileSync(site.path('register.json'), JSON.stringify(registerDraft(release, Date.now())));
  return await withKey(site, 'release', 'register', 'publish', '--file', site.path('register.json'));
}

const scanned = ({ json }: Said) => `${json.execution.status}, ${plural(json.findings.length, 'finding')}`;
const decided = ({ json }: Said) =>
  `${json.outcome}: ${json.reasons.filter((reason: { outcome: string }) => reason.outcome === 'pass').length} rules passed, ${json.reasons.filter((reason: { outcome: string }) => reason.outcome === 'skipped').length} have nothing to judge in profile local`;

/** The auditor's own keys: in real life handed over in person, here taken from the contract. */
function publicKeys(site: Site): { release: string[]; notary: string[] } {
  const text = readFileSync(site.path('fork', 'contract.yml'), 'utf8');
  const { trust } = JSON.parse(text.slice(text.indexOf('{')));
  const pems = (role: string) => trust.keys[role].map((key: { public: string }) => key.public);
  return { release: pems('release'), notary: pems('notary') };
}

/** Changes one letter in the record of the deploy. */
function alterOneRecord(site: Site): string {
  const store = site.path('store');
  const key = (readdirSync(store, { recursive: true, encoding: 'utf8' }).find(
    (file) => file.startsWith('v1/records/') && file.includes('-deploy.outcome-'),
  ) ?? '') as string;
  const path = join(store, key);
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  return key;
}

/** Starts the registry of the demo as a process of its own; it ends with us. */
export async function startRegistryProcess(program: string, home: string): Promise<{ registry: string; stop(): void }> {
  const child = spawn(process.execPath, [program, 'demo', '--serve-registry'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: bareEnvironment(home),
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve((JSON.parse(line.toString('utf8')) as { url: string }).url));
    child.once('exit', (code) =>
      reject(new CouldNot('demo.registry', `the demo's registry did not start (exit ${code})`)),
    );
  });
  return { registry: new URL(url).host, stop: () => void child.stdin.end() };
}
