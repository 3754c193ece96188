import { parseS3Url } from '../../../../src/store/s3/address.ts';

describe('the URL of an S3 store', () => {
  it('names bucket, prefix and region; the service is AWS in that region', () => {
    expect(parseS3Url('s3://evidence/acme/prod?region=eu-central-1')).toEqual({
      bucket: 'evidence',
      prefix: 'acme/prod/',
      region: 'eu-central-1',
      endpoint: 'https://s3.eu-central-1.amazonaws.com',
      pathStyle: false,
      sts: 'https://sts.eu-central-1.amazonaws.com',
      owner: null,
      url: 's3://evidence/acme/prod?region=eu-central-1',
    });
  });

  it.each([
    ['s3://evidence?region=cn-north-1', { endpoint: 'https://s3.cn-north-1.amazonaws.com.cn', prefix: '' }],
    ['s3://ev.idence/?region=eu-west-1', { pathStyle: true, endpoint: 'https://s3.eu-west-1.amazonaws.com' }],
    ['s3://evidence/p/?region=eu-west-1&owner=123456789012', { owner: '123456789012', prefix: 'p/' }],
    // Credentials of a token service that nobody named must not go to a server that somebody did.
    ['s3://evidence?region=x1&endpoint=https://s3.example.org', { endpoint: 'https://s3.example.org', sts: null }],
    ['s3://evidence?region=x1&endpoint=http://127.0.0.1:7070', { endpoint: 'http://127.0.0.1:7070', pathStyle: true }],
    [
      's3://evidence?region=x1&endpoint=https://s3.example.org&sts=https://sts.example.org',
      { sts: 'https://sts.example.org' },
    ],
  ])('%s', (url, expected) => {
    expect(parseS3Url(url)).toMatchObject(expected);
  });

  it.each([
    ['no region', 's3://evidence/p'],
    ['an empty region', 's3://evidence/p?region='],
    ['a region that leads elsewhere', 's3://evidence/p?region=x.example.org/'],
    ['no bucket', 's3:///p?region=eu-west-1'],
    ['a bucket of another form', 's3://Evidence_1/p?region=eu-west-1'],
    ['one slash', 's3:/evidence?region=eu-west-1'],
    ['a password', 's3://user:hunter2@evidence/p?region=eu-west-1'],
    ['a fragment', 's3://evidence/p?region=eu-west-1#x'],
    ['an unknown parameter', 's3://evidence/p?region=eu-west-1&profile=admin'],
    ['a parameter twice', 's3://evidence/p?region=eu-west-1&region=us-east-1'],
    ['an odd prefix', 's3://evidence/a%20b?region=eu-west-1'],
    ['an empty part in the prefix', 's3://evidence/a//b?region=eu-west-1'],
    ['plain http', 's3://evidence/p?region=eu-west-1&endpoint=http://s3.example.org'],
    ['plain http to a name of this machine', 's3://evidence/p?region=eu-west-1&endpoint=http://localhost:7070'],
    ['plain http to what looks like this machine', 's3://evidence/p?region=x1&endpoint=http://127.0.0.1.example.org'],
    ['an endpoint with a password', 's3://evidence/p?region=eu-west-1&endpoint=https://a:hunter2@s3.example.org'],
    ['an endpoint with a path', 's3://evidence/p?region=eu-west-1&endpoint=https://s3.example.org/x'],
    ['a token service without https', 's3://evidence/p?region=eu-west-1&sts=http://sts.example.org'],
    ['an owner that is none', 's3://evidence/p?region=eu-west-1&owner=me'],
  ])('is refused with %s, without repeating a password', (_, url) => {
    let thrown: Error | undefined;
    try {
      parseS3Url(url);
    } catch (cause) {
      thrown = cause as Error;
    }
    expect(thrown).toMatchObject({ code: 'store.url', exit: 2 });
    expect(thrown?.message).not.toContain('hunter2');
  });
});
