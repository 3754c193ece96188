import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { layRelease } from '../support/release.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);
const admission = (words: string[], program = 'build/dist/gatehouse.js') =>
  run(process.execPath, [program, 'admission', ...words], { env: cleanEnvironment('/nonexistent') });
const OURS = ['policy', '--file', 'test/fixtures/contract.yml'];

describe('admission policy', () => {
  it('prints two documents that kubectl takes, and nothing else', () => {
    const { code, stdout, stderr } = admission(OURS);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS());
    expect({ code, stderr, kinds: documents.map(({ kind }) => kind) }).toEqual({
      code: 0,
      stderr: '',
      kinds: ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    });
    const json = JSON.parse(admission([...OURS, '--json']).stdout);
    expect(json).toEqual({ apiVersion: 'v1', kind: 'List', items: documents });
  });

  it('prints the same bytes each time', () => {
    expect(admission(OURS).stdout).toBe(admission(OURS).stdout);
  });

  it('is made from the contract beside the program, unless told otherwise', () => {
    const folder = sandbox.folder('release');
    const contract = join(sandbox.folder('contract'), 'contract.yml');
    writeFileSync(
      contract,
      readFileSync('test/fixtures/contract.yml', 'utf8').replaceAll('ghcr.io/example-health', 'images.acme.example'),
    );
    layRelease(folder, contract);
    const { stdout } = admission(['policy'], join(folder, 'dist', 'gatehouse.js'));
    expect(stdout).toContain('images[.]acme[.]example');
  });

  it.each<[string, string[], string, RegExp]>([
    ['no word', [], 'inputs.invalid', /action: is required: policy: /],
    ['another word', ['webhook'], 'inputs.invalid', /action: expected "policy"/],
    ['a contract that is not there', ['policy', '--file', '/nonexistent'], 'file.unreadable', /cannot read contract/],
    [
      'an environment that there is not',
      [...OURS, '--environment', 'prod'],
      'admission.environment',
      /has no environment prod/,
    ],
    [
      'a cluster that there is not',
      [...OURS, '--cluster', 'producton'],
      'admission.cluster',
      /did you mean production/,
    ],
    ['a misspelt flag', [...OURS, '--enviroment', 'x'], 'cli.unknown_flag', /did you mean --environment/],
  ])('refuses %s', (_, words, error, message) => {
    const { code, stdout, stderr } = admission([...words, '--json']);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: error, message: expect.stringMatching(message) });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: /);
  });
});
