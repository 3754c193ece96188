import type { Site } from '../../src/commands/demo/site.ts';
import { approve } from '../../src/commands/demo/steps.ts';
import { readAttachment } from '../../src/evidence/blob.ts';
import { directoryStore } from '../../src/store/directory.ts';
import { editContract, signerOfRole, steps, succeed, verdictOf } from '../support/direct.ts';
import {
  approval,
  approved,
  editPlatform,
  editRegister,
  expectDenial,
  forge,
  hours,
  playRun,
  recordOf,
  type Scene,
  signAndScan,
  table,
} from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('gate'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const asCommit = (
  site: Site,
  act: (commit: { people: { userId: string; as: string }[]; reviews: object[]; reachableFrom: string[] }) => void,
) => editPlatform(site, (platform) => act(platform.commits[0] as never));
const asRun = (site: Site, changes: object) =>
  editPlatform(site, (platform) => void Object.assign(platform.runs[0] as object, changes));

describe('the change and its run', () => {
  it.each(
    table([
      [
        'the ref is not protected',
        'scanned',
        (site) => editPlatform(site, (platform) => void platform.protectedRefs.splice(0)),
        ['source.ref'],
      ],
      [
        'the commit is on no protected ref',
        'scanned',
        (site) => asCommit(site, (commit) => void commit.reachableFrom.splice(0)),
        ['source.ref'],
      ],
      [
        'F81 a pull request started it',
        'scanned',
        (site) => asRun(site, { event: 'pull_request_target' }),
        ['provenance.source', 'source.event'],
      ],
      [
        'nobody reviewed it',
        'scanned',
        (site) => asCommit(site, (commit) => void commit.reviews.splice(0)),
        ['source.reviewed'],
      ],
      [
        'F07 its author reviewed it',
        'scanned',
        (site) =>
          asCommit(
            site,
            (commit) => void commit.reviews.splice(0, 1, { userId: '101', state: 'approved', at: hours(-2) }),
          ),
        ['source.reviewed'],
      ],
      [
        'its reviewer asked for changes afterwards',
        'scanned',
        (site) =>
          asCommit(
            site,
            (commit) => void commit.reviews.push({ userId: '102', state: 'changes_requested', at: hours(-1) }),
          ),
        ['source.reviewed'],
      ],
      [
        'its reviewer is nobody whom we know',
        'scanned',
        (site) =>
          asCommit(
            site,
            (commit) => void commit.reviews.splice(0, 1, { userId: '999', state: 'approved', at: hours(-2) }),
          ),
        ['source.reviewed'],
      ],
      [
        'a coauthor is nobody whom we know',
        'scanned',
        (site) => asCommit(site, (commit) => void commit.people.push({ userId: '999', as: 'coauthor' })),
        ['source.people'],
      ],
      [
        'nobody is its author',
        'scanned',
        (site) => asCommit(site, (commit) => void commit.people.splice(0)),
        ['source.people'],
      ],
      [
        'who started it is nobody whom we know',
        'scanned',
        (site) => asRun(site, { triggeredBy: '999' }),
        ['source.people'],
      ],
      [
        'two people claim its author’s account',
        'scanned',
        (site) =>
          editRegister(site, ({ people }) => ({
            people: [
              ...people,
              { personId: 'dev-9', name: 'dev-9', accounts: [{ platform: 'local', host: 'demo', userId: '101' }] },
            ],
          })),
        ['source.people'],
      ],
      [
        'its reviewer is a second account of its author',
        'scanned',
        (site) =>
          editRegister(site, ({ people }) => ({
            people: people
              .filter(({ personId }) => personId !== 'dev-2')
              .map((each) =>
                each.personId === 'dev-1'
                  ? {
                      ...each,
                      accounts: [...each.accounts, { platform: 'local' as const, host: 'demo', userId: '102' }],
                    }
                  : each,
              ),
          })),
        ['source.reviewed'],
      ],
    ]),
  )('$name', ({ row }) => expectDenial(scene, row));
});

describe('approvals', () => {
  it.each(
    table([
      ['there is none', 'promoted', () => {}, ['approval.present']],
      [
        'it is for another environment',
        'promoted',
        (site) => approved(site, approval({ environment: 'staging' })),
        ['approval.present'],
      ],
      ['it is of another run', 'promoted', (site) => approved(site, approval({ runId: '5000' })), ['approval.present']],
      [
        'it is of another attempt',
        'promoted',
        (site) => approved(site, approval({ attempt: 2 })),
        ['approval.present'],
      ],
      [
        'somebody rejects beside it',
        'approved',
        (site) => approved(site, approval({ userId: '102', state: 'rejected' })),
        ['approval.present'],
      ],
      [
        'nobody whom we know rejects beside it',
        'approved',
        (site) => approved(site, approval({ userId: '999', state: 'rejected' })),
        ['approval.present'],
      ],
      [
        'it is by nobody whom we know',
        'promoted',
        (site) => approved(site, approval({ userId: '999' })),
        ['approval.present'],
      ],
      ['it is from the future', 'promoted', (site) => approved(site, approval({ at: hours(1) })), ['approval.present']],
      [
        'F07 it is by a coauthor',
        'approved',
        (site) => asCommit(site, (commit) => void commit.people.push({ userId: '201', as: 'coauthor' })),
        ['approval.independent'],
      ],
      [
        'F07 it is by who pushed',
        'approved',
        (site) => asCommit(site, (commit) => void commit.people.push({ userId: '201', as: 'pusher' })),
        ['approval.independent'],
      ],
      [
        'F07 it is by who started the run',
        'approved',
        (site) => asRun(site, { triggeredBy: '201' }),
        ['approval.independent'],
      ],
      [
        'F07 it is by who started it again',
        'approved',
        (site) => asRun(site, { reranBy: '201' }),
        ['approval.independent'],
      ],
      [
        'F07 it is by a second account of the author',
        'promoted',
        async (site) => {
          await editRegister(site, ({ people }) => ({
            people: people.map((each) =>
              each.personId === 'dev-1'
                ? { ...each, accounts: [...each.accounts, { platform: 'local' as const, host: 'demo', userId: '901' }] }
                : each,
            ),
          }));
          approved(site, approval({ userId: '901' }));
        },
        ['approval.independent'],
      ],
      [
        'F07 two are by two accounts of one person',
        'promoted',
        async (site) => {
          await editContract(site, (contract) =>
            Object.assign(contract.environments.production.approvals, { number: 2 }),
          );
          await editRegister(site, ({ people }) => ({
            people: people.map((each) =>
              each.personId === 'lead-1'
                ? { ...each, accounts: [...each.accounts, { platform: 'local' as const, host: 'demo', userId: '202' }] }
                : each,
            ),
          }));
          approved(site, approval({ userId: '201' }), approval({ userId: '202' }));
        },
        ['approval.present'],
      ],
      [
        'it is by a developer',
        'promoted',
        (site) => approved(site, approval({ userId: '102' })),
        ['approval.entitled'],
      ],
      [
        'F20 its approver left the group',
        'approved',
        (site) =>
          editRegister(site, ({ groups }) => ({ groups: groups.filter(({ personId }) => personId !== 'lead-1') })),
        ['approval.entitled'],
      ],
      [
        'F20 its approver’s membership ended',
        'approved',
        (site) =>
          editRegister(site, ({ groups }) => ({ groups: groups.map((each) => ({ ...each, until: hours(-1) })) })),
        ['approval.entitled'],
      ],
      [
        'F20 its approver’s membership begins tomorrow',
        'approved',
        (site) =>
          editRegister(site, ({ groups }) => ({ groups: groups.map((each) => ({ ...each, from: hours(24) })) })),
        ['approval.entitled'],
      ],
      [
        'F20 its approver was made inactive, by a line of its own',
        'approved',
        (site) =>
          editRegister(site, ({ groups }) => ({
            groups: [
              ...groups,
              { group: 'release-approvers', personId: 'lead-1', active: false, from: hours(-1), until: null },
            ],
          })),
        ['approval.entitled'],
      ],
      [
        'the run was opened for another environment',
        'ready',
        async (site) => {
          await editContract(site, (contract) =>
            Object.assign(contract.environments, { staging: { ...contract.environments.production } }),
          );
          await succeed(steps.open(site, 'staging'));
          await signAndScan(scene, site, 'staged');
          approved(site, approval());
        },
        ['approval.present', 'evidence.recorded', 'register.fresh'],
        { stage: 'deploy', image: () => `${scene.registry.host}/care/staged@${scene.digest}` },
      ],
    ]),
  )('$name', ({ row }) => expectDenial(scene, row));

  it.each([
    ['none', []],
    ['one by somebody else', ['102']],
    ['one by the very person', ['201']],
  ])('F71 what had been approved before the run was opened counts for nothing: %s', async (_, before) => {
    const site = scene.at('ready');
    approved(site, ...before.map((userId) => approval({ userId, at: hours(-1) })));
    await succeed(steps.open(site));
    const image = await signAndScan(scene, site, `approved-${before[0] ?? 'none'}`);
    await succeed(steps.gate(site, 'promote', image));
    expect(verdictOf(await steps.gate(site, 'deploy', image))).toEqual(['approval.present']);
    approve(site, '201');
    expect(verdictOf(await steps.gate(site, 'deploy', image))).toBe('allow');
  });

  it('F71 what was approved between the opening and the promotion released some other job', async () => {
    const site = scene.at('scanned');
    approve(site, '201');
    await succeed(steps.gate(site, 'promote', scene.image));
    expect(verdictOf(await steps.gate(site, 'deploy', scene.image))).toEqual(['approval.present']);
    approve(site, '201');
    expect(verdictOf(await steps.gate(site, 'deploy', scene.image))).toBe('allow');
  });

  it('a promotion that does not say what had been approved before it lets no approval count', async () => {
    const { approvalsBefore, ...data } = recordOf(scene.at('promoted'), 'gate.decided').record.data;
    expect(approvalsBefore).toEqual([]);
    const verdictWith = async (changes: object) => {
      const site = scene.at('scanned');
      const like = recordOf(scene.at('promoted'), 'gate.decided').record;
      await forge(site, like, { data: { ...data, ...changes } }, signerOfRole(site, 'gate'), 'gate');
      approve(site, '201');
      return verdictOf(await steps.gate(site, 'deploy', scene.image));
    };
    expect(await verdictWith({ approvalsBefore })).toBe('allow');
    expect(await verdictWith({})).toEqual(['approval.present']);
    expect(await verdictWith({ approvalsBefore: '[]' })).toEqual(['approval.present']);
  });
});

describe('waivers', () => {
  const fingerprintOf = (site: Site) => {
    const store = directoryStore(site.path('store'));
    const [attachment] = recordOf(site, 'scan.completed', 'trivy').record.attachments;
    return readAttachment(store, attachment as never).then(
      (bytes) =>
        JSON.parse(bytes.toString()).findings.find((each: { severity: string }) => each.severity === 'critical')
          .fingerprint as string,
    );
  };
  const waiver = async (site: Site, changes: object) => ({
    id: 'w-1',
    fingerprint: await fingerprintOf(site),
    digest: scene.digest,
    requester: 'dev-1',
    approver: 'lead-1',
    ticket: 'SEC-1',
    effective: hours(-1),
    expires: hours(24),
    ...changes,
  });

  it.each([
    ['a waiver in force excuses its finding', {}, 'allow'],
    ['F16 one that ended excuses nothing', { expires: hours(-0.5) }, ['scan.findings']],
    ['F16 one that begins tomorrow', { effective: hours(12) }, ['scan.findings']],
    ['F16 one for another image', { digest: `sha256:${'1'.repeat(64)}` }, ['scan.findings']],
    ['F16 one for another finding', { fingerprint: '0123456789abcdef' }, ['scan.findings']],
    ['F16 one that its requester approved', { approver: 'dev-1' }, ['scan.findings']],
  ])('%s', async (_, changes, verdict) => {
    const site = scene.at('unscanned');
    await succeed(steps.scan(site, 'trivy-critical', scene.image));
    const entry = await waiver(site, changes);
    await editRegister(site, () => ({ waivers: [entry] }));
    const said = await steps.gate(site, 'promote', scene.image);
    expect(verdictOf(said)).toEqual(verdict);
    // A finding that is let through is never shown as a pass.
    if (verdict === 'allow')
      expect(said.json.reasons).toContainEqual(expect.objectContaining({ rule: 'scan.findings', outcome: 'waived' }));
  });
});
