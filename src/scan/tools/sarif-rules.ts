import { at, count, isObject, type JsonObject, strings, text } from '../shape.ts';

/** The rules of one run, by what a result may call them. */
export interface Rules {
  /** How many the driver and its extensions list. */
  total: number;
  /** The rule of a result, or null. SARIF 2.1.0 §3.27.5–7: by component and index, by id, by the id's first parts. */
  of(result: JsonObject): JsonObject | null;
}

/** Rules stand in the driver or in one of its extensions (CodeQL's query packs do). */
export function rulesOf(run: JsonObject): Rules {
  const driver = at(run, 'tool', 'driver');
  const extensions = at(run, 'tool', 'extensions');
  const components = [driver, ...(Array.isArray(extensions) ? extensions : [])].map((component) =>
    list(at(component, 'rules')),
  );
  const byId = new Map<string, JsonObject>();
  for (const rule of components.flat()) {
    const id = text(rule?.id);
    if (rule !== null && id !== null && !byId.has(id)) byId.set(id, rule);
  }
  return {
    total: components.reduce((sum, rules) => sum + rules.length, 0),
    of(result) {
      const id = ruleIdOf(result);
      const index = count(at(result, 'rule', 'index')) ?? count(result.ruleIndex);
      const component = count(at(result, 'rule', 'toolComponent', 'index'));
      const indexed = index === null ? null : (components[component === null ? 0 : component + 1]?.[index] ?? null);
      if (indexed !== null && (id === null || belongs(id, text(indexed.id)))) return indexed;
      return id === null ? null : byParts(id, byId);
    },
  };
}

/** The rule’s id as the result itself says it (SARIF 2.1.0, 3.27.5 and 3.27.7), or null. */
export function ruleIdOf(result: JsonObject): string | null {
  return text(result.ruleId) ?? text(at(result, 'rule', 'id'));
}

/** What a rule's properties and tags say, for identifiers in them. */
export function wordsOf(rule: JsonObject | null): string[] {
  return ['tags', 'cwe'].flatMap((key) => strings(at(rule, 'properties', key)));
}

function list(value: unknown): (JsonObject | null)[] {
  return Array.isArray(value) ? value.map((one) => (isObject(one) ? one : null)) : [];
}

function belongs(id: string, rule: string | null): boolean {
  return rule !== null && (id === rule || id.startsWith(`${rule}/`));
}

function byParts(id: string, byId: ReadonlyMap<string, JsonObject>): JsonObject | null {
  if (id.length > 1024) return byId.get(id) ?? null;
  for (let end = id.length; end > 0; end = id.lastIndexOf('/', end - 1)) {
    const rule = byId.get(id.slice(0, end));
    if (rule !== undefined) return rule;
  }
  return null;
}
