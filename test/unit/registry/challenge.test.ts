import { parseChallenges } from '../../../src/registry/challenge.ts';

describe('a WWW-Authenticate header', () => {
  it.each<[string, string, [string, Record<string, string>][]]>([
    [
      'with a token service',
      'Bearer realm="https://auth.example.org/token",service="registry",scope="repository:a/b:pull,push"',
      [['bearer', { realm: 'https://auth.example.org/token', service: 'registry', scope: 'repository:a/b:pull,push' }]],
    ],
    ['with Basic', 'Basic realm="registry"', [['basic', { realm: 'registry' }]]],
    [
      'with bare values and spaces',
      'Bearer  realm = https://a/t ,  service=x',
      [['bearer', { realm: 'https://a/t', service: 'x' }]],
    ],
    [
      'with two challenges',
      'Negotiate, Basic realm="a, b", Bearer realm="c"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a, b' }],
        ['bearer', { realm: 'c' }],
      ],
    ],
    ['with escaped quotes', 'Basic realm="a \\"b\\" \\\\c"', [['basic', { realm: 'a "b" \\c' }]]],
    ['that is empty', '', []],
    ['with parameters of nothing', 'realm="x"', []],
    ['that breaks off', 'Bearer realm="x', [['bearer', {}]]],
  ])('%s', (_, header, expected) => {
    expect(parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])).toEqual(
      expected,
    );
  });
});
