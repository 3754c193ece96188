const lines = new Map<string, Promise<unknown>>();

/** Runs actions of the same key one after another, in the order of the calls, however each of them ends. */
export async function serialise<T>(key: string, action: () => Promise<T>): Promise<T> {
  const before = lines.get(key) ?? Promise.resolve();
  const mine = before.then(action, action);
  lines.set(key, mine);
  try {
    return await mine;
  } finally {
    if (lines.get(key) === mine) lines.delete(key);
  }
}
