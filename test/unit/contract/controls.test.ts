import { readFileSync } from 'node:fs';
import { controlsOfType } from '../../../src/contract/controls.ts';
import { recordTypes } from '../../../src/contract/roles.ts';

const json = (name: string) => JSON.parse(readFileSync(`controls/${name}.json`, 'utf8'));
const sections: Record<string, { title: string; mark: 'R' | 'A' }> = json('security-rule').sections;

/** Citations in a document that the index does not have, with where they stand. */
function unknownCitations(document: unknown, path = ''): string[] {
  if (typeof document === 'string')
    return document.includes('CFR') && !Object.hasOwn(sections, document) ? [`${path}: ${document}`] : [];
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([name, inner]) => unknownCitations(inner, `${path}/${name}`));
}

describe('the control map', () => {
  it.each(['map', 'rules'])('cites nothing that the index of the rule does not have: %s', (name) => {
    expect(unknownCitations(json(name))).toEqual([]);
  });

  it('a planted citation that does not exist is found', () => {
    expect(unknownCitations({ a: ['45 CFR 164.312(b)', '45 CFR 164.312(z)', '45 CFR 164.308'] })).toEqual([
      '/a/1: 45 CFR 164.312(z)',
      '/a/2: 45 CFR 164.308',
    ]);
  });

  it('has citations of its own for every record type, and for no other', () => {
    expect(Object.keys(json('map').types).sort()).toEqual([...recordTypes].sort());
    for (const citations of Object.values(json('map').types)) expect(citations).not.toEqual([]);
  });

  it.each([...recordTypes, 'unknown.type', 'constructor'])(
    '%s supports audit controls and activity review, each citation once',
    (type) => {
      const citations = controlsOfType(type);
      expect(citations).toEqual(expect.arrayContaining(['45 CFR 164.312(b)', '45 CFR 164.308(a)(1)(ii)(D)']));
      expect(new Set(citations).size).toBe(citations.length);
    },
  );
});

describe('the index of the Security Rule', () => {
  it('gives each section a title and whether it is required or addressable', () => {
    for (const [citation, { title, mark }] of Object.entries(sections)) {
      expect(citation).toMatch(/^45 CFR 164\.\d{3}(\([0-9a-zA-Z]+\))+$|^45 CFR 164\.4(04|10)$/);
      expect(title).toMatch(/^[A-Z].{3,}$/);
      expect(mark).toMatch(/^[RA]$/);
    }
  });

  /** Appendix A to Subpart C names 22 addressable specifications. */
  it('knows the addressable specifications of Appendix A', () => {
    const addressable = Object.keys(sections).filter((citation) => sections[citation]?.mark === 'A');
    expect(addressable).toHaveLength(22);
    expect(sections['45 CFR 164.312(e)(2)(ii)']).toEqual({ title: 'Encryption', mark: 'A' });
    expect(sections['45 CFR 164.308(a)(1)(ii)(C)']).toEqual({ title: 'Sanction policy', mark: 'R' });
  });
});
