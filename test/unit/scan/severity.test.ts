import { baseScore } from '../../../src/scan/cvss.ts';
import { severityOfScore, severityOfWord, UNRATED, worst } from '../../../src/scan/severity.ts';

describe('CVSS base scores', () => {
  // Out of FIRST's published examples and the NVD.
  it.each([
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
    ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
    ['CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
    ['CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L', 4.2],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
    ['AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8],
    ['AV:N/AC:L/Au:N/C:C/I:C/A:C', 10],
    ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3],
    ['CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 8.5],
  ])('%s is %d', (vector, score) => {
    expect(baseScore(vector)).toBe(score);
  });

  it.each([
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O', 9.8],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/MAV:P', 9.8],
    ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U', 9.3],
    ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/MAV:P', 9.3],
  ])('%s is not lowered by what is no base metric', (vector, score) => {
    expect(baseScore(vector)).toBe(score);
  });

  it.each([
    [''],
    ['CVSS:3.1/AV:N'],
    ['CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/C:N/I:N/A:N'],
    ['CVSS:4.0/AV:N/AC:L'],
    ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:Q'],
    ['CVSS:5.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'],
    ['high'],
    [7.5],
    [null],
    [undefined],
    ['A:B/'.repeat(100_000)],
  ])('%j has none', (vector) => {
    expect(baseScore(vector)).toBeNull();
  });
});

describe('severities', () => {
  it.each([
    ['CRITICAL', 'critical'],
    [' High ', 'high'],
    ['moderate', 'medium'],
    ['Negligible', 'info'],
    ['important', null],
    ['unknown', null],
    ['constructor', null],
    ['__proto__', null],
    ['', null],
    [3, null],
    [null, null],
  ])('the word %j is %j', (word, severity) => {
    expect(severityOfWord(word)).toBe(severity);
  });

  it.each([
    [10, 'critical'],
    [9, 'critical'],
    [8.9, 'high'],
    [7, 'high'],
    [6.9, 'medium'],
    [4, 'medium'],
    [3.9, 'low'],
    [0.1, 'low'],
    [0, 'info'],
    [10.1, null],
    [-1, null],
    [Number.NaN, null],
    [null, null],
  ])('the score %j is %j', (score, severity) => {
    expect(severityOfScore(score)).toBe(severity);
  });

  it('the worst of several wins, and nothing is unknown', () => {
    const low = { severity: 'low', severitySource: 'tool' } as const;
    const high = { severity: 'high', severitySource: 'cvss' } as const;
    expect(worst([low, null, high])).toEqual(high);
    expect(worst([])).toEqual(UNRATED);
    expect(worst([null])).toEqual(UNRATED);
  });
});
