import { DeployRefused } from '../../../src/deploy/refusal.ts';

export const NAME = 'registry.example.org/app/web';
export const OLD = `sha256:${'0'.repeat(64)}`;
export const NEW = `sha256:${'a'.repeat(64)}`;
export const IMAGE = { name: NAME, digest: NEW };
export const TARGET = { cluster: 'prod', namespace: 'web', kind: 'Deployment', name: 'api' };

/** A Deployment by digest, as people write one: comments, quotes, an odd indentation. */
export const DEPLOYMENT = `# The API of the web front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api   # do not rename
  namespace: "web"
spec:
  template:
    spec:
      initContainers:
      - name: migrate
        image: '${NAME}@${OLD}'   # changed by deploys only
      containers:
        - { name: api, image: ${NAME}@${OLD}, args: [ --long, "a very long argument that a writer of YAML would fold over two lines, if it were asked to" ] }
`;

/** What a check refused with, as `rule: message`, or the bad input's `code: message`. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof DeployRefused) return `${thrown.reason.rule}: ${thrown.message}`;
    const { exit, code, message } = thrown as { exit: number; code: string; message: string };
    expect(exit).toBe(2);
    return `${code}: ${message}`;
  }
  return 'accepted';
}
