import { parseKeyUrl } from '../../../src/contract/key-url.ts';

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const ARN = `arn:aws:kms:eu-central-1:111122223333:key/${ID}`;

it.each([
  ['a file', 'file:gate.pem', null],
  [
    'a key in AWS KMS',
    `awskms:///${ARN}`,
    {
      arn: ARN,
      region: 'eu-central-1',
      endpoint: 'https://kms.eu-central-1.amazonaws.com',
      sts: 'https://sts.eu-central-1.amazonaws.com',
    },
  ],
  [
    'a key of several regions in China',
    `awskms:///arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-${'0'.repeat(32)}`,
    {
      arn: `arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-${'0'.repeat(32)}`,
      region: 'cn-north-1',
      endpoint: 'https://kms.cn-north-1.amazonaws.com.cn',
      sts: 'https://sts.cn-north-1.amazonaws.com.cn',
    },
  ],
  [
    'an endpoint, and so no token service',
    `awskms:///${ARN}?endpoint=http://127.0.0.1:4566`,
    { arn: ARN, region: 'eu-central-1', endpoint: 'http://127.0.0.1:4566', sts: null },
  ],
  [
    'both',
    `awskms:///${ARN}?endpoint=https://kms.example.org&sts=https://sts.example.org`,
    { arn: ARN, region: 'eu-central-1', endpoint: 'https://kms.example.org', sts: 'https://sts.example.org' },
  ],
])('%s is read', (_, url, address) => {
  expect(parseKeyUrl(url)).toEqual(address);
});

it.each([
  ['Google’s', 'gcpkms://projects/p', /gcpkms: cannot be opened: use file:key\.pem, or awskms:/],
  ['Azure’s', 'azurekms://vault/key', /azurekms: cannot be opened/],
  ['a host', `awskms://kms.example.org/${ARN}`, /not of the form/],
  ['a password', `awskms://user:hunter2@/${ARN}`, /not of the form/],
  ['an alias', 'awskms:///arn:aws:kms:eu-central-1:111122223333:alias/gate', /an alias can be pointed at another key/],
  ['an id alone', `awskms:///${ID}`, /needs the ARN/],
  ['another service', ARN.replace('kms', 's3').replace(/^/, 'awskms:///'), /needs the ARN/],
  ['no account', `awskms:///arn:aws:kms:eu-central-1::key/${ID}`, /needs the ARN/],
  ['more behind the id', `awskms:///${ARN}/x`, /needs the ARN/],
  ['a fragment', `awskms:///${ARN}#x`, /not of the form/],
  ['a parameter that there is not', `awskms:///${ARN}?region=x`, /no parameter region/],
  ['an endpoint by plain http', `awskms:///${ARN}?endpoint=http://kms.example.org`, /endpoint= takes the base address/],
  ['an endpoint twice', `awskms:///${ARN}?sts=https://a.example&sts=https://b.example`, /sts= twice/],
])('%s is refused', (_, url, message) => {
  expect(() => parseKeyUrl(url)).toThrow(
    expect.objectContaining({ code: 'key.url', exit: 2, message: expect.stringMatching(message) }),
  );
  expect(() => parseKeyUrl(url)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
});
