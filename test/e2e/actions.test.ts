import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { launcherOf, startAction } from '../support/runner.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const runAction = (name: string, inputs: Record<string, string>) =>
  startAction(launcherOf(name, 'main'), inputs, sandbox.folder('runner'));

const TRIVY = resolve('sample/reports/trivy.json');

describe('each action', () => {
  it.each(readdirSync('actions'))(
    '%s without inputs says what it lacks, as an annotation, and blocks',
    async (name) => {
      const { code, log, outputs, summary } = await runAction(name, {});
      expect([1, 2]).toContain(code);
      expect(log).toMatch(new RegExp(`^::error title=gatehouse ${name}::`, 'm'));
      expect(log).not.toMatch(/\n\s+at |node:internal/);
      if (name !== 'policy-gate') expect(summary).toContain(`## ⛔ ${name} stopped`);
      if (name !== 'policy-gate') expect(outputs).toEqual({});
    },
  );

  it.each(readdirSync('actions'))('%s lacks no input in the step that its README shows', async (name) => {
    const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(`actions/${name}/README.md`, 'utf8')) ?? [];
    const [{ uses, with: given }] = parse(shown);
    expect(uses).toMatch(new RegExp(`/actions/${name}@v`));
    const { log } = await runAction(name, given);
    expect(log).not.toMatch(/is required|needs --|is unknown/);
  });

  it.each([
    ['build-sign', { phase: 'sign', image: `registry.example.org/app/web@sha256:${'a'.repeat(64)}` }],
    ['scan', { phase: 'record', report: TRIVY }],
    ['evidence-emit', { type: 'run.sealed' }],
    [
      'policy-gate',
      { stage: 'promote', environment: 'production', image: `registry.example.org/app/web@sha256:${'a'.repeat(64)}` },
    ],
    [
      'deploy-by-digest',
      {
        decision: 'v1/records/x',
        image: `registry.example.org/app/web@sha256:${'a'.repeat(64)}`,
        environment: 'production',
        target: 'production/web/Deployment/web',
        manifest: 'web.yaml',
      },
    ],
  ])('%s in a job of the caller answers workflow_untrusted', async (name, inputs) => {
    const { code, log } = await runAction(name, inputs as unknown as Record<string, string>);
    expect(code).toBe(1);
    expect(log).toContain('not part of the trusted workflow');
  });

  it.each(['key', 'run', 'facts', 'contract', 'now'])(
    'takes no input %s: it would let the judged party choose its own truth',
    async (name) => {
      const planted = join(sandbox.folder('planted'), name);
      mkdirSync(planted);
      const { log } = await runAction('policy-gate', {
        stage: 'promote',
        environment: 'production',
        image: 'x',
        [name]: planted,
      });
      expect(log).not.toContain(planted);
    },
  );
});

describe('scan', () => {
  it('of a report says what it found, in outputs and in a summary', async () => {
    const { code, outputs, summary } = await runAction('scan', { report: TRIVY });
    expect({ code, outputs }).toEqual({ code: 0, outputs: { status: 'complete' } });
    expect(summary).toContain('| ✔ trivy 0.74.0 | complete | 4 medium |');
  });

  it('puts findings beside the lines that they are about, and none that lead out of the repository', async () => {
    const semgrep = JSON.parse(readFileSync('sample/reports/semgrep.json', 'utf8'));
    const [found] = semgrep.results;
    semgrep.results = [
      found,
      { ...found, path: '../../etc/passwd' },
      { ...found, extra: { ...found.extra, message: 'first line\n::set-output name=a::b' } },
    ];
    const report = join(sandbox.folder('report'), 'semgrep.json');
    writeFileSync(report, JSON.stringify(semgrep));
    const { log, outputs } = await runAction('scan', { report });
    const remarks = log.split('\n').filter((line) => /^::(warning|notice) /.test(line));
    expect(remarks).toHaveLength(semgrep.results.length - 1);
    expect(remarks[0]).toMatch(/^::(warning|notice) title=semgrep%3A [a-z]+ \S+,file=[\w./-]+,line=\d+::/);
    expect(log).not.toContain('passwd');
    expect(Object.keys(outputs)).toEqual(['status']);
  });

  it('of an empty report blocks, and the summary says why', async () => {
    const report = join(sandbox.folder('report'), 'trivy.json');
    writeFileSync(report, '');
    const { code, outputs, summary } = await runAction('scan', { report, tool: 'trivy' });
    expect({ code, outputs }).toEqual({ code: 1, outputs: { status: 'error' } });
    expect(summary).toMatch(/✖ trivy .*empty/);
  });

  it('F80 lets no report put out anything, end a table or give the runner a command', async () => {
    const hostile = JSON.parse(readFileSync(TRIVY, 'utf8'));
    hostile.Trivy = { Version: '1|x<img src=x>\n::set-output name=a::b' };
    const report = join(sandbox.folder('report'), 'trivy.json');
    writeFileSync(report, JSON.stringify(hostile));
    const { log, outputs, summary } = await runAction('scan', { report });
    expect(Object.keys(outputs)).toEqual(['status']);
    expect(
      log.split('\n').filter((line) => line.startsWith('::') && !line.startsWith('::error title=gatehouse scan::')),
    ).toEqual([]);
    expect(summary).not.toMatch(/<img|\|x/);
  });
});
