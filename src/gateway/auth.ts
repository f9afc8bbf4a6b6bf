/** Who is calling. Keys are compared by a keyed digest, so that neither timing nor a lookup tells how close a guess was. */
import { createHmac, randomBytes } from 'node:crypto';
import type { ApiKeyConfig } from '../config/schema.ts';
import { headerValue } from './headers.ts';

export interface Authenticator {
  /** True when the configuration has keys. */
  readonly required: boolean;
  /** Name of the key in a request with these headers (names and values alternating); undefined when there is none or a wrong one. */
  identify(headers: readonly string[]): string | undefined;
}

/** Accepts the password of `Authorization: Basic`, `Authorization: Bearer KEY`, `x-api-key: KEY` and `api-key: KEY`. Unnamed keys are called `key-1`, `key-2` … */
export function createAuthenticator(keys: readonly ApiKeyConfig[]): Authenticator {
  const secret = randomBytes(32);
  const digest = (key: string): string => createHmac('sha256', secret).update(key).digest('base64');
  const names = new Map<string, string>();
  for (const [index, entry] of keys.entries()) {
    if (typeof entry === 'string') names.set(digest(entry), `key-${index + 1}`);
    else names.set(digest(entry.key), entry.name);
  }
  return {
    required: keys.length > 0,
    identify(headers) {
      for (const key of presentedKeys(headers)) {
        const name = names.get(digest(key));
        if (name !== undefined) return name;
      }
      return undefined;
    },
  };
}

function presentedKeys(headers: readonly string[]): string[] {
  const presented: string[] = [];
  const basic = basicPassword(headers);
  if (basic !== undefined) presented.push(basic);
  const bearer = /^bearer +(\S+) *$/i.exec(headerValue(headers, 'authorization') ?? '')?.[1];
  if (bearer !== undefined) presented.push(bearer);
  for (const name of ['x-api-key', 'api-key']) {
    const value = headerValue(headers, name);
    if (value !== undefined && value !== '') presented.push(value.trim());
  }
  return presented;
}

/** What a browser asked its user for. It sends that along with the requests of other sites' pages, too: not with those. */
function basicPassword(headers: readonly string[]): string | undefined {
  const encoded = /^basic +(\S+) *$/i.exec(headerValue(headers, 'authorization') ?? '')?.[1];
  const site = headerValue(headers, 'sec-fetch-site');
  if (encoded === undefined || site === 'cross-site' || site === 'same-site') return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}
