import map from '../../controls/map.json' with { type: 'json' };

const types: Readonly<Record<string, string[]>> = map.types;

/**
 * Citations that records of this type produce evidence for, such as `45 CFR 164.312(b)`, out of controls/map.json: those of any
 * record (it can be reviewed), then those of its type. An unknown type has the first only. Citations of gate rules are in
 * gate-rules.ts.
 */
export function controlsOfType(type: string): string[] {
  return [...map.any, ...(Object.hasOwn(types, type) ? (types[type] ?? []) : [])];
}
