/** Who is calling: finds the key in a request's headers. Which keys there are is KeyRing's. */
import type { AdminAccess } from '../domain/admin-access.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { isOtherSite } from '../domain/other-site.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import { headerValue } from './headers.ts';
import { provenanceOf } from './site-guard.ts';

export interface Authenticator {
  /** True when callers must show a key. */
  readonly required: boolean;
  /** The key in a request with these headers (names and values alternating); undefined when there is none, a wrong one or one that has expired. */
  identify(headers: readonly string[]): KeyRules | undefined;
  /** How much of the control plane these headers open; where no key is required, all of it. */
  accessOf(headers: readonly string[]): AdminAccess;
  /** The key in a request that `identify` finds none in, because it has expired. */
  findExpired(headers: readonly string[]): KeyRules | undefined;
}

/** Accepts the password of `Authorization: Basic`, `Authorization: Bearer KEY`, `x-api-key: KEY` and `api-key: KEY`. */
export function createAuthenticator(
  ring: Pick<KeyRing, 'isRequired' | 'find'>,
  epochMs: () => number,
): Authenticator {
  const find = (headers: readonly string[], isWanted: (key: KeyRules) => boolean): KeyRules | undefined => {
    for (const shown of shownKeys(headers)) {
      const key = ring.find(shown);
      if (key !== undefined && isWanted(key)) return key;
    }
    return undefined;
  };
  const hasExpired = ({ expiresEpochMs }: KeyRules): boolean => expiresEpochMs <= epochMs();
  const identify = (headers: readonly string[]): KeyRules | undefined =>
    find(headers, (key) => !hasExpired(key));
  return {
    get required() {
      return ring.isRequired;
    },
    identify,
    accessOf: (headers) => (ring.isRequired ? (identify(headers)?.admin ?? 'none') : 'full'),
    findExpired: (headers) => find(headers, hasExpired),
  };
}

function shownKeys(headers: readonly string[]): string[] {
  const shown: string[] = [];
  const basic = basicPassword(headers);
  if (basic !== undefined) shown.push(basic);
  const bearer = /^bearer +(\S+) *$/i.exec(headerValue(headers, 'authorization') ?? '')?.[1];
  if (bearer !== undefined) shown.push(bearer);
  for (const name of ['x-api-key', 'api-key']) {
    const value = headerValue(headers, name);
    if (value !== undefined && value !== '') shown.push(value.trim());
  }
  return shown;
}

/** What a browser asked its user for. It sends that along with the requests of other sites' pages, too: not with those. */
function basicPassword(headers: readonly string[]): string | undefined {
  const encoded = /^basic +(\S+) *$/i.exec(headerValue(headers, 'authorization') ?? '')?.[1];
  if (encoded === undefined || isOtherSite(provenanceOf(headers))) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}
