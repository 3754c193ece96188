import { changeManifest } from '../../../src/deploy/plain-manifest.ts';
import { DEPLOYMENT, IMAGE, NAME, NEW, OLD, refusal, TARGET } from './scene.ts';

const change = (text: string | Buffer) => changeManifest(Buffer.from(text as string), 'web.yaml', IMAGE, TARGET);

/** The deployment with something put in place of a part of it. */
function with_(was: string, is: string): string {
  expect(DEPLOYMENT).toContain(was);
  return DEPLOYMENT.replace(was, is);
}
const CONTAINER = `        - { name: side, image: evil.example.org/x@${NEW} }\n`;
const POD = (spec: string, kind = 'Deployment') =>
  `apiVersion: apps/v1\nkind: ${kind}\nmetadata: { name: api, namespace: web }\nspec:\n${spec}`;

describe('a plain manifest', () => {
  it('gets the digest wherever the image is, and keeps every other byte', () => {
    const { text, previousDigest } = change(DEPLOYMENT);
    expect(text).toBe(DEPLOYMENT.replace(`'${NAME}@${OLD}'`, `${NAME}@${NEW}`).replace(OLD, NEW));
    expect(previousDigest).toBe(OLD);
  });

  it('keeps Windows line ends and a byte order mark', () => {
    const windows = `\ufeff${DEPLOYMENT.replaceAll('\n', '\r\n')}`;
    const { text } = change(windows);
    expect(text).toBe(windows.replace(`'${NAME}@${OLD}'`, `${NAME}@${NEW}`).replace(OLD, NEW));
  });

  it('that has the digest already stays as it is', () => {
    const done = change(DEPLOYMENT).text;
    expect(change(done).text).toBe(done);
  });

  it('may have other objects that run nothing, in documents of their own', () => {
    const more = `---\n# nothing\n---\nkind: Service\nmetadata: { name: api, namespace: web, labels: { image: x } }\nspec: { ports: [{ port: 80 }] }\n---\nkind: ConfigMap\nmetadata: { name: c, namespace: web }\ndata: { image: "any:thing", containers: none }\n`;
    expect(change(DEPLOYMENT + more).text.endsWith(more)).toBe(true);
  });

  it.each([
    [
      'CronJob',
      `  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers: [{ name: a, image: "${NAME}@${OLD}" }]\n`,
    ],
    ['Pod', `  containers: [{ name: a, image: "${NAME}@${OLD}" }]\n`],
    ['Rollout', `  template:\n    spec:\n      containers: [{ name: a, image: "${NAME}@${OLD}" }]\n`],
  ])('of kind %s is found at its own depth', (kind, spec) => {
    const target = { ...TARGET, kind };
    const changed = changeManifest(Buffer.from(POD(spec, kind)), 'web.yaml', IMAGE, target);
    expect(changed.text).toBe(POD(spec, kind).replace(`"${NAME}@${OLD}"`, `${NAME}@${NEW}`));
  });

  it.each<[string, string | Buffer, RegExp]>([
    [
      'a tag',
      with_(`'${NAME}@${OLD}'`, `${NAME}:1.0.0`),
      /^deploy\.digest: .*initContainers\[0\] names registry.*:1\.0\.0/,
    ],
    ['no tag and no digest', with_(`'${NAME}@${OLD}'`, NAME), /^deploy\.digest/],
    ['a tag and a digest', with_(`'${NAME}@${OLD}'`, `${NAME}:1@${OLD}`), /^deploy\.images/],
    ['a short digest', with_(`'${NAME}@${OLD}'`, `${NAME}@sha256:abc`), /^deploy\.digest/],
    ['a digest in capitals', with_(`'${NAME}@${OLD}'`, `${NAME}@sha256:${'A'.repeat(64)}`), /^deploy\.digest/],
    ['a digest of another kind', with_(`'${NAME}@${OLD}'`, `${NAME}@sha512:${'a'.repeat(128)}`), /^deploy\.digest/],
    ['a variable', with_(`'${NAME}@${OLD}'`, '$(IMAGE)'), /^deploy\.digest/],
    ['F95 a sidecar', DEPLOYMENT + CONTAINER, /^deploy\.images: .*containers\[1\] runs evil\.example\.org/],
    [
      'F84 an initContainer',
      with_('      containers:\n', `        - { name: x, image: evil.example.org/x@${NEW} }\n      containers:\n`),
      /is not YAML|^deploy\.images/,
    ],
    [
      'F84 an ephemeral container',
      `${DEPLOYMENT}      ephemeralContainers: [{ name: x, image: "evil.example.org/x@${NEW}" }]\n`,
      /^deploy\.images: .*ephemeralContainers\[0\]/,
    ],
    [
      'F84 an image volume',
      `${DEPLOYMENT}      volumes: [{ name: v, image: { reference: "${NAME}@${NEW}" } }]\n`,
      /^manifest\.image_volume/,
    ],
    [
      'another image of the same digest',
      with_(`'${NAME}@${OLD}'`, `evil.example.org/app/web@${OLD}`),
      /^deploy\.images/,
    ],
    ['a longer name', with_(`'${NAME}@${OLD}'`, `${NAME}-2@${OLD}`), /^deploy\.images/],
    [
      'an image at another place',
      `${DEPLOYMENT}      script: { image: "evil.example.org/x@${NEW}" }\n`,
      /^deploy\.images: .*script\.image/,
    ],
    ['an image at another place, by tag', `${DEPLOYMENT}  image: evil:latest\n`, /^deploy\.digest: .*spec\.image/],
    [
      'an image in parts',
      `${DEPLOYMENT}  image: { repository: evil.example.org/x, tag: latest }\n`,
      /^manifest\.image: .*in parts/,
    ],
    [
      'an image inside a container that has one',
      with_('args: [', `hook: { image: "evil:1" }, args: [`),
      /^deploy\.digest: .*hook\.image/,
    ],
    [
      'a container without an image',
      `${DEPLOYMENT}        - { name: side }\n`,
      /^manifest\.image: .*containers\[1\] has no image/,
    ],
    ['a container that is a word', `${DEPLOYMENT}        - side\n`, /^manifest\.image/],
    ['an image that is a number', `${DEPLOYMENT}        - { name: side, image: 1 }\n`, /^manifest\.image/],
    ['an image that is empty', `${DEPLOYMENT}        - { name: side, image: "" }\n`, /^deploy\.digest/],
    [
      'an image in a block',
      `${DEPLOYMENT}        - name: b\n          image: >-\n            ${NAME}@${OLD}\n`,
      /^manifest\.image: .*block/,
    ],
    [
      'no image at all',
      'kind: Deployment\nmetadata: { name: api, namespace: web }\n',
      /^deploy\.images: .*runs no image/,
    ],
    ['nothing', '', /^deploy\.images: .*runs no image/],
    ['only comments', '# nothing\n', /^deploy\.images: .*runs no image/],
    [
      'another workload',
      with_('name: api ', 'name: web '),
      /^deploy\.target: .*no Deployment web\/api; it has Deployment web\/web/,
    ],
    ['another namespace', with_('"web"', '"web2"'), /^deploy\.target: .*it has Deployment web2\/api/],
    ['no namespace', with_('  namespace: "web"\n', ''), /^deploy\.target: .*it has Deployment \(no namespace\)\/api/],
    ['another kind', with_('kind: Deployment', 'kind: StatefulSet'), /^deploy\.target: .*it has StatefulSet web\/api/],
    [
      'F95 a second workload',
      `${DEPLOYMENT}---\n${with_('name: api ', 'name: api-2 ')}`,
      /^deploy\.target: .*also has Deployment web\/api-2, which runs an image/,
    ],
    [
      'the same workload of another namespace',
      `${DEPLOYMENT}---\n${with_('"web"', '"prod"')}`,
      /^deploy\.target: .*also has Deployment prod\/api/,
    ],
    [
      'a list of objects',
      `kind: List\nitems:\n  - ${DEPLOYMENT.slice(DEPLOYMENT.indexOf('\n') + 1)
        .replaceAll('\n', '\n    ')
        .trimEnd()}\n`,
      /^manifest\.list: .*has a List/,
    ],
    ['a list of its own kind', 'kind: DeploymentList\nmetadata: { name: x }\nitems: []\n', /^manifest\.list/],
    ['an object without a kind', DEPLOYMENT.replace('kind: Deployment\n', ''), /^manifest\.object/],
    ['an object without a name', with_('  name: api   # do not rename\n', ''), /^manifest\.object/],
    ['a word', 'Deployment\n', /^manifest\.object/],
    ['a list', '- kind: Deployment\n', /^manifest\.object/],
    ['a template', `${DEPLOYMENT}  replicas: {{ .Values.replicas }}\n`, /^manifest\.yaml|^manifest\.object/],
    ['a repeated key', `${DEPLOYMENT}spec: {}\n`, /^manifest\.yaml: .*key "spec" a second time/],
    ['containers twice', `${DEPLOYMENT}      containers: []\n`, /^manifest\.yaml: .*"containers" a second time/],
    [
      'an alias to containers',
      `x: &evil [{ name: x, image: "evil:1" }]\n${DEPLOYMENT}      ephemeralContainers: *evil\n`,
      /^manifest\.yaml: .*alias/,
    ],
    [
      'a merge key that brings containers in',
      with_('      initContainers:', '      <<: { ephemeralContainers: [] }\n      initContainers:'),
      /^manifest\.yaml: .*merge key/,
    ],
    [
      'containers behind a bare carriage return',
      with_('# do not rename', '# do not\r    rename: [x]'),
      /^manifest\.yaml: .*U\+000D/,
    ],
    [
      'containers behind a next-line character',
      with_('# do not rename', '# do not\u0085rename: [x]'),
      /^manifest\.yaml: .*U\+0085/,
    ],
    [
      'containers under a binary key',
      `${DEPLOYMENT}      !!binary ZXBoZW1lcmFsQ29udGFpbmVycw==: []\n`,
      /^manifest\.yaml: .*tag/,
    ],
    [
      'bytes that are no text',
      Buffer.concat([Buffer.from(DEPLOYMENT), Buffer.from([0xff])]),
      /^manifest\.yaml: .*not UTF-8/,
    ],
    ['tabs', `${DEPLOYMENT}\tx: 1\n`, /^manifest\.yaml/],
  ])('with %s is refused', (_, text, message) => {
    expect(refusal(() => change(text))).toMatch(message);
  });
});
