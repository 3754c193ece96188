import { attachAll } from '../../src/registry/attach.ts';
import { createRegistryClient } from '../../src/registry/client.ts';

/* One of several processes that attach to the same image at the same moment: HOST REPOSITORY DIGEST NAME. */
const [registry = '', repository = '', digest = '', name = ''] = process.argv.slice(2);
const client = createRegistryClient({ registry });
const subject = await client.getManifest(repository, digest);
const bytes = (what: string) => Buffer.from(JSON.stringify({ [what]: name }));
const signature = Buffer.from(name).toString('base64');
await attachAll(
  client,
  repository,
  { mediaType: subject.mediaType, digest, size: subject.size },
  [
    {
      bundleBytes: bytes('bundle'),
      predicateType: 'https://example.org/x',
      envelope: bytes('envelope'),
      simpleSigning: { payload: bytes('payload'), signature },
    },
  ],
  Date.now(),
);
