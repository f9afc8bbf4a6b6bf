/** What the assemblies of all routes share: parsed JSON objects and the contract of one route's parts. */

/** A parsed JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Collects the events of one stream of one route. */
export interface AnswerParts {
  /** One event; an error event never comes here. */
  add(event: Fields): void;
  /** The answer as the engine would have sent it whole; undefined = the events do not make a complete one. */
  finish(): unknown;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of a list; anything else is none. */
export function toFieldsList(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

export function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A place in a list of choices, tool calls or answers; one without a number is the first. */
export function toIndex(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Adds the items to the list; what is no list has none. */
export function pushAll(list: unknown[], items: unknown): void {
  if (!Array.isArray(items)) return;
  for (const item of items as unknown[]) list.push(item);
}

/** The values of a map in the order of their keys. */
export function inOrder<Value>(byIndex: ReadonlyMap<number, Value>): Value[] {
  return Array.from(byIndex)
    .sort(([a], [b]) => a - b)
    .map(([, value]) => value);
}
