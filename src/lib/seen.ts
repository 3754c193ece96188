/** What the outside world showed, or why it could not be seen: a judge takes the second as not held. */
export type Seen<T> = { value: T } | { unknown: string };
