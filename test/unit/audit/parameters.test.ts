import { asCsv, asTable } from '../../../src/audit/formats.ts';
import { bindings } from '../../../src/audit/parameters.ts';
import { queryOf } from '../../../src/audit/queries.ts';

const person = queryOf('deploys-by-person');
const digest = queryOf('deploys-by-digest');
const dossier = queryOf('deploy-dossier');

describe('parameters', () => {
  it('are bound in the order of the query, times in UTC, what is not given by its default', () => {
    expect(bindings(person, ['until=2026-03-01T12:00:00Z', 'person=a=b'])).toEqual([
      'a=b',
      '1970-01-01 00:00:00.000',
      '2026-03-01 12:00:00.000',
    ]);
  });

  it.each([
    ['missing', person, [], /person is missing: a person of the register/],
    ['empty', person, ['person='], /person is missing/],
    ['unknown', person, ['person=x', 'form=y'], /no parameter "form"; it has person, since, until/],
    ['misspelt', person, ['persn=x'], /did you mean person\?/],
    ['given twice', person, ['person=x', 'person=y'], /person is given twice/],
    ['no name', person, ['dev-1'], /"dev-1" is not name=value/],
    ['no time', person, ['person=x', 'since=yesterday'], /since="yesterday" is no time: write 2026-01-31T08:00:00Z/],
    ['a time without a zone', person, ['person=x', 'since=2026-01-01T00:00:00'], /is no time/],
    ['a day that does not exist', person, ['person=x', 'since=2026-02-30T00:00:00Z'], /is no time/],
    ['a short digest', digest, ['digest=sha256:abc'], /is no digest: write sha256:<64 hex>/],
    ['no deploy id', dossier, ['deploy=1'], /is no deploy: write a UUID/],
    ['too long', person, [`person=${'x'.repeat(1025)}`], /is no text/],
  ])('%s: refused with what to do', (_, query, words, message) => {
    expect(() => bindings(query, words)).toThrow(message);
  });

  it('wrong in two ways says both', () => {
    expect(() => bindings(digest, ['x=1'])).toThrow(/no parameter "x"[\s\S]*digest is missing/);
  });

  it.each(['deploys-by-persn', '', 'constructor'])('a query that is not there is refused: %j', (name) => {
    expect(() => queryOf(name)).toThrow(/there is no query/);
  });
});

describe('an answer', () => {
  const answer = {
    columns: ['n', 'who', 'nothing', 'evidence_key'],
    rows: [
      { n: 1, who: '=HYPERLINK("x")', nothing: null, evidence_key: 'v1/records/a' },
      { n: 2, who: 'a\nb,"c"\u001b[2J', nothing: null, evidence_key: 'v1/records/b' },
    ],
  };

  it('as CSV is quoted, starts no formula and keeps one line a row', () => {
    expect(asCsv(answer)).toBe(
      [
        'n,who,nothing,evidence_key',
        `1,"'=HYPERLINK(""x"")",,v1/records/a`,
        '2,"a\ufffdb,""c""\ufffd[2J",,v1/records/b',
      ].join('\n'),
    );
  });

  it('as a table leaves out what is empty everywhere, and lists the keys below', () => {
    const text = asTable(answer);
    expect(text).not.toContain('nothing');
    expect(text).not.toContain('\u001b');
    expect(text.split('\n').slice(-2)).toEqual(['1  v1/records/a', '2  v1/records/b']);
    expect(asTable({ ...answer, rows: [] })).toBe('no rows');
  });
});
