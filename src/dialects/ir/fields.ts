/**
 * Reads members of JSON that nobody has checked, and says by its path which one is wrong. Readers of requests use the
 * strict functions; readers of engines' answers the lenient ones, which never throw.
 */
import { bigNumberOf, isBigNumber } from '../../base/exact-json.ts';
import { RequestShapeError } from './request-shape-error.ts';
import type { JsonObject } from './request.ts';

/** A JSON object and where it is in the request; '' = it is the request. */
export interface Place {
  readonly fields: JsonObject;
  readonly path: string;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBigNumber(value);
}

export function pathOf({ path }: Place, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** null counts as absent: clients send it for members they leave out. @throws RequestShapeError */
export function optionalString(place: Place, key: string): string | undefined {
  const value = place.fields[key] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new RequestShapeError(pathOf(place, key), 'must be a string');
}

/** @throws RequestShapeError */
export function requiredString(place: Place, key: string): string {
  const value = optionalString(place, key);
  if (value === undefined) throw new RequestShapeError(pathOf(place, key), 'is required');
  return value;
}

/** Digits beyond what a number holds are rounded. @throws RequestShapeError */
export function optionalNumber(place: Place, key: string): number | undefined {
  const value = place.fields[key] ?? undefined;
  if (value === undefined || typeof value === 'number') return value;
  if (isBigNumber(value)) return bigNumberOf(value);
  throw new RequestShapeError(pathOf(place, key), 'must be a number');
}

/** @throws RequestShapeError */
export function optionalBoolean(place: Place, key: string): boolean | undefined {
  const value = place.fields[key] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw new RequestShapeError(pathOf(place, key), 'must be true or false');
}

/** @throws RequestShapeError */
export function optionalObject(place: Place, key: string): Place | undefined {
  const value = place.fields[key] ?? undefined;
  if (value === undefined) return undefined;
  if (isObject(value)) return { fields: value, path: pathOf(place, key) };
  throw new RequestShapeError(pathOf(place, key), 'must be an object');
}

/** @throws RequestShapeError */
export function requiredObject(place: Place, key: string): Place {
  const value = optionalObject(place, key);
  if (value === undefined) throw new RequestShapeError(pathOf(place, key), 'is required');
  return value;
}

/** @throws RequestShapeError */
export function optionalList(place: Place, key: string): readonly unknown[] | undefined {
  const value = place.fields[key] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new RequestShapeError(pathOf(place, key), 'must be a list');
}

/** A list of objects, each with its place. @throws RequestShapeError */
export function optionalObjects(place: Place, key: string): readonly Place[] | undefined {
  return optionalList(place, key)?.map((value, index) => {
    const path = `${pathOf(place, key)}[${index}]`;
    if (!isObject(value)) throw new RequestShapeError(path, 'must be an object');
    return { fields: value, path };
  });
}

/** The members whose names are not in `known`, as they came. */
export function otherMembers(fields: JsonObject, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !known.has(key)));
}

/** Absent members left out, so that spreads keep to exact optional types. */
export function present<Fields extends Record<string, unknown>>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: Exclude<Fields[Key], undefined>;
  };
}

/** '' for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** undefined for what is no finite number ≥ 0. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The objects of a list; nothing for what is none. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
