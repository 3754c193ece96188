import * as calculator from 'ae-cvss-calculator';

// The package is CommonJS: at run time its names are on the default export, which its types do not have.
const { fromVector } = (calculator as unknown as { default: Pick<typeof calculator, 'fromVector'> }).default;

const VECTOR = /^(CVSS:3\.[01]\/)?[A-Za-z]{1,4}:[A-Za-z]{1,6}(\/[A-Za-z]{1,4}:[A-Za-z]{1,6}){5,40}$/;
/** The base metrics of version 4, which come first and in this order. */
const BASE_4 =
  /^CVSS:4\.0\/AV:[NALP]\/AC:[LH]\/AT:[NP]\/PR:[NLH]\/UI:[NPA]\/VC:[HLN]\/VI:[HLN]\/VA:[HLN]\/SC:[HLN]\/SI:[HLN]\/SA:[HLN](?=\/|$)/;
const scores = new Map<string, number | null>();

/**
 * The base score of a CVSS vector of version 2.0, 3.0, 3.1 or 4.0, or null when it is not a complete one. Only the base
 * counts: what somebody thought of exploits or of his own environment does not lower a finding. One report repeats few
 * vectors, so they are remembered.
 */
export function baseScore(vector: unknown): number | null {
  if (typeof vector !== 'string' || vector.length > 256) return null;
  let score = scores.get(vector);
  if (score === undefined) {
    score = compute(vector);
    if (scores.size < 10_000) scores.set(vector, score);
  }
  return score;
}

function compute(vector: string): number | null {
  const version4 = BASE_4.exec(vector)?.[0];
  if (version4 === undefined && !VECTOR.test(vector)) return null;
  const metrics = vector.split('/').map((part) => part.slice(0, part.indexOf(':')));
  if (new Set(metrics).size < metrics.length) return null;
  // Of an incomplete vector the overall score is 0; the base score is then undefined.
  const { base } = fromVector(version4 ?? vector)?.calculateScores(false) ?? {};
  return typeof base === 'number' && Number.isFinite(base) ? base : null;
}
