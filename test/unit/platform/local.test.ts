import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localPlatform } from '../../../src/platform/local.ts';
import { sandboxes } from '../../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const SHA = 'c'.repeat(40);
const runOf = (id: string, attempt = 1) => ({
  id,
  attempt,
  job: 'demo',
  ref: 'refs/heads/main',
  sha: SHA,
  event: 'push',
  triggeredBy: '101',
  reranBy: null,
});
const approval = (userId: string, changes: object = {}) => ({
  runId: '2',
  attempt: 1,
  environment: 'production',
  userId,
  state: 'approved',
  at: '2026-06-01T12:00:00Z',
  ...changes,
});
const document = (changes: object = {}) => ({
  schema: 'gatehouse/platform/1',
  host: 'demo',
  repository: { id: '1', name: 'care/lab-results' },
  protectedRefs: ['refs/heads/main'],
  commits: [
    {
      sha: SHA,
      base: null,
      reachableFrom: ['refs/heads/main'],
      people: [{ userId: '101', as: 'author' }],
      reviews: [],
    },
  ],
  runs: [runOf('1'), runOf('2'), runOf('2', 2)],
  approvals: [],
  ...changes,
});

function platform(content: unknown, runFile: { id: string; attempt: number } | null = { id: '2', attempt: 1 }) {
  const file = join(sandbox.folder('platform'), 'platform.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return {
    file,
    platform: localPlatform(file, runFile === null ? null : { ...runFile, jobKey: 'local-1', nextStep: 1 }),
  };
}

describe('the platform of profile local', () => {
  it('gives a run that is being opened its last run, any other step its own', async () => {
    expect((await platform(document(), null).platform.identify()).run).toMatchObject({ id: '2', attempt: 2 });
    expect((await platform(document()).platform.identify()).run).toMatchObject({ id: '2', attempt: 1 });
  });

  it('vouches for no workflow', async () => {
    const { workflow, run } = await platform(document()).platform.identify();
    expect(workflow).toEqual({ callerRef: null, callerSha: null, jobRef: null, jobSha: null });
    expect(run).toMatchObject({ platform: 'local', workflow: null, caller: null });
  });

  it.each([
    ['a run of another id', { id: '3', attempt: 1 }, /knows no run 3, attempt 1/],
    ['a run of another attempt', { id: '2', attempt: 3 }, /knows no run 2, attempt 3/],
  ])('does not know %s', async (_, runFile, message) => {
    await expect(platform(document(), runFile).platform.identify()).rejects.toThrow(message);
  });

  it('without runs has none to open', async () => {
    await expect(platform(document({ runs: [] }), null).platform.identify()).rejects.toMatchObject({
      exit: 2,
      code: 'platform.no_run',
    });
  });

  it('counts only approvals of this run, attempt and environment', async () => {
    const approvals = [
      approval('201'),
      approval('202', { runId: '1' }),
      approval('203', { attempt: 2 }),
      approval('204', { environment: 'staging' }),
      approval('205', { environment: 'Production' }),
      approval('206', { state: 'rejected' }),
    ];
    const { platform: local } = platform(document({ approvals }));
    const { run } = await local.identify();
    expect(await local.approvals(run, 'production')).toEqual([
      {
        userId: '201',
        state: 'approved',
        at: '2026-06-01T12:00:00Z',
        atFrom: 'platform',
        digest: null,
        strength: 'job',
      },
      expect.objectContaining({ userId: '206', state: 'rejected' }),
    ]);
    expect(await local.approvalsGiven(run, 'production')).toEqual([
      { userId: '201', state: 'approved' },
      { userId: '206', state: 'rejected' },
    ]);
  });

  it.each([
    ['a protected ref', {}, { protected: true, reachableFromProtected: true }],
    [
      'a ref that is not',
      { protectedRefs: ['refs/heads/release'] },
      { protected: false, reachableFromProtected: false },
    ],
    ['no protected refs', { protectedRefs: [] }, { protected: false, reachableFromProtected: false }],
  ])('says of the source: %s', async (_, changes, expected) => {
    const { platform: local } = platform(document(changes));
    const { run } = await local.identify();
    expect(await local.source(run, null)).toMatchObject(expected);
  });

  it('does not know a commit that it has not', async () => {
    const { platform: local } = platform(document({ commits: [] }));
    const { run } = await local.identify();
    await expect(local.source(run, null)).rejects.toMatchObject({ exit: 2, code: 'platform.no_commit' });
  });

  it('reads its file each time it is asked: an approval given meanwhile is seen', async () => {
    const { file, platform: local } = platform(document());
    const { run } = await local.identify();
    expect(await local.approvals(run, 'production')).toEqual([]);
    writeFileSync(file, JSON.stringify(document({ approvals: [approval('201')] })));
    expect(await local.approvals(run, 'production')).toHaveLength(1);
  });

  it.each([
    ['nothing', '', 'json.empty'],
    ['no JSON', '{', 'json.syntax'],
    ['a repeated key', '{"schema": 1, "schema": 2}', 'json.duplicate_key'],
    ['another schema', document({ schema: 'gatehouse/platform/2' }), 'platform.file'],
    ['an unknown key', document({ admin: true }), 'platform.file'],
    ['a run without its starter', document({ runs: [{ ...runOf('2'), triggeredBy: null }] }), 'platform.file'],
    ['a short commit id', document({ runs: [{ ...runOf('2'), sha: 'c0ffee' }] }), 'platform.file'],
    ['an attempt in words', document({ runs: [{ ...runOf('2'), attempt: '1' }] }), 'platform.file'],
    ['an approval of another kind', document({ approvals: [approval('201', { state: 'maybe' })] }), 'platform.file'],
    [
      'a time with an offset',
      document({ approvals: [approval('201', { at: '2026-06-01T12:00:00+02:00' })] }),
      'platform.file',
    ],
  ])('that is %s is bad input', async (_, content, code) => {
    await expect(platform(content).platform.identify()).rejects.toMatchObject({ exit: 2, code });
  });

  it('whose file is not there is bad input', async () => {
    await expect(localPlatform('/nonexistent/platform.json', null).identify()).rejects.toThrow(/no such file/);
  });
});
