import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changeKustomization } from '../../../src/deploy/kustomize.ts';
import { sandboxes } from '../../support/sandbox.ts';
import { IMAGE, NAME, NEW, OLD, refusal, TARGET } from './scene.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const DEPLOYMENT = `kind: Deployment\nmetadata: { name: api }\nspec: { template: { spec: { containers: [{ name: api, image: web }] } } }\n`;
const SERVICE = 'kind: Service\nmetadata: { name: api }\nspec: {}\n';
const KUSTOMIZATION = `# By hand.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: web
resources:
- deployment.yaml
- service.yaml
images:
  # changed by deploys only
  - name: web
    newName: ${NAME}
    digest: "${OLD}"   # the digest
`;
const entry = (lines: string) => KUSTOMIZATION.replace(/ {2}- name: web[\s\S]*/, lines);
const deployment = (container: string) => DEPLOYMENT.replace('{ name: api, image: web }', container);

function change(text: string, files: Record<string, string> = {}, prepare: (folder: string) => void = () => {}) {
  const folder = sandbox.folder('kustomize');
  for (const [name, content] of Object.entries({ 'deployment.yaml': DEPLOYMENT, 'service.yaml': SERVICE, ...files }))
    writeFileSync(join(folder, name), content);
  prepare(folder);
  return changeKustomization(Buffer.from(text), join(folder, 'kustomization.yaml'), IMAGE, TARGET);
}

describe('a kustomization', () => {
  it('gets the digest, and keeps every other byte', () => {
    const { text, previousDigest, resources } = change(KUSTOMIZATION);
    expect(text).toBe(KUSTOMIZATION.replace(`"${OLD}"`, NEW));
    expect(previousDigest).toBe(OLD);
    expect(resources.map((path) => path.split('/').at(-1))).toEqual(['deployment.yaml', 'service.yaml']);
  });

  it('with Windows line ends keeps them', () => {
    const windows = KUSTOMIZATION.replaceAll('\n', '\r\n');
    expect(change(windows).text).toBe(windows.replace(`"${OLD}"`, NEW));
  });

  it.each([
    ['a block', `  - name: web\n    newName: ${NAME}\n`, `  - digest: ${NEW}\n    name: web\n    newName: ${NAME}\n`],
    [
      'a block with Windows line ends',
      `  - name: web\r\n    newName: ${NAME}\r\n`,
      `  - digest: ${NEW}\r\n    name: web\r\n    newName: ${NAME}\r\n`,
    ],
    ['one line', `  - { name: web, newName: ${NAME} }\n`, `  - { digest: ${NEW}, name: web, newName: ${NAME} }\n`],
  ])('without a digest gets one, written as %s', (_, was, is) => {
    const { text, previousDigest } = change(entry(was));
    expect(text).toBe(entry(is));
    expect(previousDigest).toBeNull();
    expect(change(text).text).toBe(text);
  });

  it('may name the image itself, may label, and may leave the namespace to the objects', () => {
    const own = KUSTOMIZATION.replace(
      'namespace: web\n',
      'labels: [{ pairs: { team: web }, includeTemplates: true }]\n',
    ).replace(/name: web\n.*\n/, `name: ${NAME}\n`);
    const files = {
      'deployment.yaml': deployment(`{ name: api, image: "${NAME}" }`).replace(
        'name: api }',
        'name: api, namespace: web }',
      ),
    };
    expect(change(own, files).text).toContain(NEW);
  });

  it.each<[string, string, RegExp, Record<string, string>?]>([
    ['a patch', `${KUSTOMIZATION}patches: [{ path: evil.yaml }]\n`, /^kustomization\.unread: .*patches: unknown key/],
    ['a strategic patch', `${KUSTOMIZATION}patchesStrategicMerge: [evil.yaml]\n`, /patchesStrategicMerge: unknown key/],
    ['a JSON patch', `${KUSTOMIZATION}patchesJson6902: []\n`, /patchesJson6902: unknown key/],
    ['a generator', `${KUSTOMIZATION}configMapGenerator: [{ name: x }]\n`, /configMapGenerator: unknown key/],
    ['a plug-in', `${KUSTOMIZATION}transformers: [evil.yaml]\n`, /transformers: unknown key/],
    ['a chart', `${KUSTOMIZATION}helmCharts: [{ name: x }]\n`, /helmCharts: unknown key/],
    ['a component', `${KUSTOMIZATION}components: [../evil]\n`, /components: unknown key/],
    ['a replacement', `${KUSTOMIZATION}replacements: []\n`, /replacements: unknown key/],
    [
      'F84 a label at a place of its own',
      `${KUSTOMIZATION}labels: [{ pairs: { reference: evil }, fields: [{ path: spec/volumes/image, create: true }] }]\n`,
      /^kustomization\.unread: .*labels\[0\]\.fields: unknown key/,
    ],
    ['a label that is no text', `${KUSTOMIZATION}labels: [{ pairs: { a: [evil] } }]\n`, /labels\[0\]\.pairs\.a/],
    ['a prefix', `${KUSTOMIZATION}namePrefix: evil-\n`, /namePrefix: unknown key/],
    [
      'a base elsewhere',
      KUSTOMIZATION.replace('- service.yaml', '- ../base'),
      /resources\[1\]: expected a manifest beside/,
    ],
    ['a remote base', KUSTOMIZATION.replace('- service.yaml', '- https://evil.example.org/x.yaml'), /resources\[1\]/],
    ['a remote repository', KUSTOMIZATION.replace('- service.yaml', '- github.com/evil/x?ref=main'), /resources\[1\]/],
    ['a path outside', KUSTOMIZATION.replace('- service.yaml', '- ../x.yaml'), /resources\[1\]/],
    ['an absolute path', KUSTOMIZATION.replace('- service.yaml', '- /etc/x.yaml'), /resources\[1\]/],
    ['no resources', KUSTOMIZATION.replace(/resources:[\s\S]*images/, 'resources: []\nimages'), /resources/],
    [
      'a resource that is not there',
      KUSTOMIZATION.replace('service.yaml', 'none.yaml'),
      /^file\.unreadable: .*none\.yaml.*no such file/,
    ],
    [
      'itself as a resource',
      KUSTOMIZATION.replace('service.yaml', 'kustomization.yaml'),
      /^manifest\.object/,
      { 'kustomization.yaml': KUSTOMIZATION },
    ],
    ['another kind', KUSTOMIZATION.replace('kind: Kustomization', 'kind: Component'), /^kustomization\.unread: .*kind/],
    ['several documents', `${KUSTOMIZATION}---\n${KUSTOMIZATION}`, /^kustomization\.unread: .*several YAML documents/],
    ['nothing', '', /^kustomization\.unread: .*no or several/],
    [
      'an alias',
      KUSTOMIZATION.replace('- deployment.yaml', '- &x deployment.yaml').replace('- service.yaml', '- *x'),
      /^manifest\.yaml: kustomization .*alias/,
    ],
    ['a repeated key', `${KUSTOMIZATION}images: []\n`, /^manifest\.yaml: .*"images" a second time/],
    ['a tag', KUSTOMIZATION.replace(/digest: .*/, 'newTag: "1.0"'), /^deploy\.digest: .*names web:1\.0/],
    ['a tag beside the digest', `${KUSTOMIZATION}    newTag: "1.0"\n`, /^deploy\.digest/],
    [
      'no entry for the image',
      KUSTOMIZATION.replace(NAME, 'registry.example.org/app/other'),
      /^deploy\.images: .*no entry for registry/,
    ],
    [
      'no entries',
      entry('').replace('images:\n  # changed by deploys only\n', 'images: []\n'),
      /^kustomization\.unread: .*images/,
    ],
    [
      'F93 a second entry that maps what the first one made',
      `${KUSTOMIZATION}  - name: ${NAME}\n    newName: evil.example.org/x\n    digest: ${OLD}\n`,
      /^deploy\.images: .*2 entries/,
    ],
    [
      'a second entry before it',
      KUSTOMIZATION.replace('  - name: web', `  - name: x\n    newName: ${NAME}\n  - name: web`),
      /^deploy\.images: .*2 entries/,
    ],
    [
      'a pattern for a name',
      KUSTOMIZATION.replace('name: web', 'name: ".*"'),
      /^kustomization\.unread: .*images\[0\]\.name/,
    ],
    [
      'a pattern that does not match itself',
      KUSTOMIZATION.replace('name: web', 'name: we+b'),
      /^kustomization\.unread: .*images\[0\]\.name/,
      { 'deployment.yaml': deployment('{ name: api, image: we+b }') },
    ],
    ['an unknown key of the entry', `${KUSTOMIZATION}    tagSuffix: -evil\n`, /images\[0\]\.tagSuffix: unknown key/],
    [
      'a resource with a tag',
      KUSTOMIZATION,
      /^deploy\.digest: .*names the tag web:1/,
      { 'deployment.yaml': deployment('{ name: api, image: "web:1" }') },
    ],
    [
      'a resource with another image',
      KUSTOMIZATION,
      /^deploy\.images: .*runs evil/,
      { 'deployment.yaml': deployment('{ name: api, image: evil }') },
    ],
    [
      'a sidecar',
      KUSTOMIZATION,
      /^deploy\.images: .*containers\[1\] runs evil/,
      { 'deployment.yaml': deployment('{ name: api, image: web }, { name: x, image: evil }') },
    ],
    [
      'an image whose name begins like ours',
      KUSTOMIZATION,
      /^deploy\.images: .*runs web2/,
      { 'deployment.yaml': deployment('{ name: api, image: web2 }') },
    ],
    [
      'an image where kustomize does not look',
      KUSTOMIZATION,
      /^deploy\.images: .*does not map it/,
      {
        'deployment.yaml': DEPLOYMENT.replace(
          'containers:',
          'ephemeralContainers: [{ name: e, image: web }], containers:',
        ),
      },
    ],
    [
      'an image at a place of its own',
      KUSTOMIZATION,
      /^deploy\.images: .*does not map it/,
      { 'service.yaml': 'kind: Workflow\nmetadata: { name: w }\nspec: { script: { image: web } }\n' },
    ],
    [
      'a second workload',
      KUSTOMIZATION,
      /^deploy\.target: .*also has Job web\/migrate/,
      { 'service.yaml': DEPLOYMENT.replace('Deployment', 'Job').replace('name: api }', 'name: migrate }') },
    ],
    [
      'another target',
      KUSTOMIZATION.replace('namespace: web', 'namespace: web2'),
      /^deploy\.target: .*it has Deployment web2\/api/,
    ],
    ['nothing that runs', KUSTOMIZATION.replace('- deployment.yaml\n', ''), /^deploy\.images: .*runs no image/],
    [
      'an image volume',
      KUSTOMIZATION,
      /^manifest\.image_volume/,
      {
        'deployment.yaml': DEPLOYMENT.replace(
          'containers:',
          'volumes: [{ name: v, image: { reference: web } }], containers:',
        ),
      },
    ],
  ])('with %s is refused', (_, text, message, files = {}) => {
    expect(refusal(() => change(text, files))).toMatch(message);
  });

  it('does not follow a link to a resource', () => {
    const link = (folder: string) => {
      mkdirSync(join(folder, 'elsewhere'));
      renameSync(join(folder, 'service.yaml'), join(folder, 'elsewhere', 'service.yaml'));
      symlinkSync(join(folder, 'elsewhere', 'service.yaml'), join(folder, 'service.yaml'));
    };
    expect(refusal(() => change(KUSTOMIZATION, {}, link))).toMatch(/^gitops\.link: .*service\.yaml is a symbolic link/);
  });
});
