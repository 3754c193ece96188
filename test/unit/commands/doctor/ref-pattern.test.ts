import { coversVersions, matches } from '../../../../src/commands/doctor/ref-pattern.ts';
import { covers } from '../../../../src/platform/gitlab/protection-replies.ts';

it.each([
  ['refs/tags/v*', 'refs/tags/v1.0.0', true],
  ['refs/tags/v*.*.*', 'refs/tags/v1.0.0', true],
  ['refs/tags/v1.0.0', 'refs/tags/v1x0x0', false],
  ['refs/tags/v1', 'refs/tags/v1.0.0', false],
  ['refs/*', 'refs/tags/v1.0.0', false],
  ['~ALL', 'refs/tags/v1.0.0', true],
  ['refs/tags/v?.0.0', 'refs/tags/v1.0.0', null],
  ['refs/tags/**', 'refs/tags/v1.0.0', null],
  ['(refs)/.+', 'refs/tags/v1.0.0', null],
])('%s of %s: %s', (pattern, name, expected) => {
  expect(matches(pattern, name)).toBe(expected);
});

it('a star of GitLab runs over slashes', () => {
  expect([covers('rel*', 'release/1'), matches('rel*', 'release/1')]).toEqual([true, false]);
});

it.each<[string, string[], string[], string | null, boolean]>([
  ['all versions', ['refs/tags/v*'], [], null, true],
  ['several patterns together', ['refs/tags/v1*', 'refs/tags/v0*'], [], null, true],
  ['one that is missing', ['refs/tags/v1.*'], [], null, false],
  ['the pinned one, which bears another name', ['refs/tags/v*'], [], 'release-7', false],
  ['an exclusion elsewhere', ['~ALL'], ['refs/tags/nightly-*'], null, true],
  ['an exclusion of one', ['~ALL'], ['refs/tags/v0.0.1'], null, false],
  ['an exclusion that is not understood', ['~ALL'], ['refs/tags/[v]*'], null, false],
  ['nothing', [], [], null, false],
])('covers %s', (_, include, exclude, pinned, expected) => {
  expect(coversVersions({ include, exclude }, 'refs/tags/', pinned)).toBe(expected);
});
