import fc from 'fast-check';
import { canonicalBytes } from '../../../src/lib/canonical.ts';

const text = (document: unknown) => canonicalBytes(document).toString('utf8');

/** The same document with the keys of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

describe('canonical JSON', () => {
  it('is that of RFC 8785, section 3.2.2 and 3.2.3', () => {
    const sample = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(text(JSON.parse(sample))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
    const keys = JSON.parse(String.raw`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`);
    expect(Object.values(JSON.parse(text(keys)))).toEqual([4, 2, 6, 7, 1, 5, 3]);
  });

  it('is stable: whatever the order of keys, and when it is read and written again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (document) => {
        const once = text(document);
        expect(text(JSON.parse(once))).toBe(once);
        expect(text(reversed(document))).toBe(once);
        expect(JSON.parse(once)).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, { a: Number.NaN }, 'lone \ud800'])(
    'refuses %p',
    (document) => {
      expect(() => canonicalBytes(document)).toThrow();
    },
  );
});
