import { entriesOf, type Version, VersionsByKey } from '../../../../src/store/s3/versions.ts';

const version = (versionId: string, key = 'v1/a', marker = false): Version => ({
  key,
  versionId,
  size: marker ? 0 : 5,
  storeTime: '2026-01-31T00:00:00.000Z',
  marker,
});
const marker = (versionId: string, key = 'v1/a') => version(versionId, key, true);
const shown = (versions: Version[]) =>
  entriesOf(versions).map(
    ({ versionId, covers, oddity }) => `${versionId} ${covers ?? (oddity === null ? 'object' : 'odd')}`,
  );

describe('the versions of a key, newest first', () => {
  it.each([
    ['one is the object', [version('1')], ['1 object']],
    ['a marker hides it', [marker('2'), version('1')], ['2 hides', '1 object']],
    ['a later one shadows it', [version('2'), version('1')], ['2 shadows', '1 object']],
    ['made again after a marker', [version('3'), marker('2'), version('1')], ['3 shadows', '2 hides', '1 object']],
    ['a marker over nothing', [marker('1')], ['1 hides']],
    ['made after a marker over nothing', [version('2'), marker('1')], ['2 object', '1 hides']],
  ])('%s', (_, versions, expected) => {
    expect(shown(versions)).toEqual(expected);
  });

  it('of a name that no key has are odd, and printable', () => {
    expect(entriesOf([version('1', 'v1/a/'), version('1', '\u001b[2J')])).toMatchObject([
      { oddity: 'a name that no key has' },
      { key: '?[2J', oddity: 'a name that no key has' },
    ]);
  });
});

it('a key whose versions go on on the next page is held back until they are complete', () => {
  const keys = new VersionsByKey();
  expect(keys.take([version('1', 'v1/a'), version('3', 'v1/b')], 'v1/b').map(({ key }) => key)).toEqual(['v1/a']);
  expect(keys.take([version('2', 'v1/b')], 'v1/b')).toEqual([]);
  expect(keys.take([version('1', 'v1/b'), version('1', 'v1/c')], null)).toMatchObject([
    { key: 'v1/b', versionId: '3', covers: 'shadows' },
    { key: 'v1/b', versionId: '2', covers: 'shadows' },
    { key: 'v1/b', versionId: '1', oddity: null },
    { key: 'v1/c', oddity: null },
  ]);
});
