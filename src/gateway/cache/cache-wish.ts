/** What a request says of the cache of answers, in a header or beside its question, and the request without that. */
import { patchJsonObject } from '../../base/json-patch.ts';
import { lastMember, scanJsonObject } from '../../base/json-scan.ts';
import { LlameroError } from '../../domain/errors.ts';
import { headerValue } from '../headers.ts';

export interface CacheWish {
  /** An answer that was kept will do. */
  readonly reads: boolean;
  /** The answer may be kept. */
  readonly writes: boolean;
  /** Only a kept answer will do. */
  readonly isRequired: boolean;
}

export interface Wishing {
  /** undefined = none. */
  readonly wish: CacheWish | undefined;
  /** As an engine is to get it. */
  readonly body: Buffer;
}

const wishes: Readonly<Record<string, CacheWish | undefined>> = {
  use: { reads: true, writes: true, isRequired: false },
  refresh: { reads: false, writes: true, isRequired: false },
  'no-store': { reads: true, writes: false, isRequired: false },
  'only-if-cached': { reads: true, writes: false, isRequired: true },
  off: undefined,
};

/** Also names the header of the answer. */
export const cacheHeader = 'x-llamero-cache';
/** Of the question whose answer was given to the one that was asked. */
export const similarityHeader = 'x-llamero-cache-similarity';
/** As nomyo-router has it: `"nomyo":{"cache":true}`. */
const member = 'nomyo';
const mark = Buffer.from(`"${member}"`);

/** The header wins. @throws LlameroError request_malformed for a word that nobody knows */
export function readWish(headers: readonly string[], received: Buffer): Wishing {
  const said = headerValue(headers, cacheHeader);
  const { value, body } = received.includes(mark)
    ? takeMember(received)
    : { value: undefined, body: received };
  if (said !== undefined) return { wish: wishOf(said.trim().toLowerCase(), cacheHeader), body };
  if (value === undefined || value === null || value === false) return { wish: undefined, body };
  return { wish: wishOf(value === true ? 'use' : value, `${member}.cache`), body };
}

function takeMember(received: Buffer): { readonly value: unknown; readonly body: Buffer } {
  const object = scanJsonObject(received);
  const found = object && lastMember(object, member);
  if (object === undefined || found === undefined) return { value: undefined, body: received };
  const body = patchJsonObject(received, { remove: [member] }, object) ?? received;
  if (found.kind !== 'object') return { value: undefined, body };
  return { value: cacheMember(received.toString('utf8', found.start, found.end)), body };
}

function cacheMember(text: string): unknown {
  try {
    return (JSON.parse(text) as Readonly<Record<string, unknown>>)['cache'];
  } catch (thrown) {
    throw new LlameroError('request_malformed', 'The body is not valid JSON', { cause: thrown });
  }
}

function wishOf(word: unknown, place: string): CacheWish | undefined {
  if (typeof word === 'string' && Object.hasOwn(wishes, word)) return wishes[word];
  const known = Object.keys(wishes).join(', ');
  throw new LlameroError('request_malformed', `${place} must be one of ${known}`, { param: place });
}
