import { digestOf, hexOf, sha256Hex } from '../../../src/lib/digest.ts';
import { BadInput, CouldNot, Denied, explain, messageOf } from '../../../src/lib/errors.ts';

describe('the three families of failure', () => {
  it.each([
    [Denied, 1, 'Denied'],
    [BadInput, 2, 'BadInput'],
    [CouldNot, 3, 'CouldNot'],
  ])('%p ends with exit %d', (Family, exit, name) => {
    const cause = new Error('below');
    const error = new Family('some.code', 'what happened', cause);
    expect(error).toMatchObject({ exit, name, code: 'some.code', message: 'what happened', cause });
    expect('cause' in new Family('some.code', 'what happened')).toBe(false);
  });

  it.each([
    ['an error', new Error('x'), 'x'],
    ['a plain object', { message: 'y' }, 'y'],
    ['a string', 'z', 'z'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
  ])('%s that was thrown has a message', (_, thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
    expect(explain(thrown)).toBe(`unexpected: ${message}; this is a defect of gatehouse, nothing was allowed`);
  });

  it('what we know is told as it is', () => {
    expect(explain(new Denied('some.code', 'what happened'))).toBe('what happened');
  });
});

describe('a digest', () => {
  it('is SHA-256 of the bytes, with its name before it (FIPS 180-4, "abc")', () => {
    const hex = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(digestOf('abc')).toBe(`sha256:${hex}`);
    expect(sha256Hex(Buffer.from('abc'))).toBe(hex);
    expect(hexOf(`sha256:${hex}`)).toBe(hex);
  });
});
