/**
 * What a browser may be made to do by a page of another site where no key keeps it out: nothing under a name that is not
 * ours, and no WebSocket. Only headers are looked at; programs that are no browser pass.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { keptText } from '../base/kept-text.ts';
import type { Config } from '../config/schema.ts';
import { LlameroError } from '../domain/errors.ts';
import { isOtherSite, type Provenance } from '../domain/other-site.ts';
import { headerValue } from './headers.ts';

/** Nobody can register a name below these in the public DNS, so no stranger can make one lead here. */
const privateEnds = ['.localhost', '.local', '.internal', '.lan', '.home.arpa'];

/**
 * A page can let its own name lead to this machine (DNS rebinding); to a browser the router is then a part of that page's
 * site. Such a request names the page's host. With keys, or with `allowUnauthenticated`, every name is taken.
 * @returns why the request must not go on; undefined = it may.
 */
export function findForeignHost(
  received: readonly string[],
  config: Pick<Config, 'allowUnauthenticated'>,
): LlameroError | undefined {
  const host = headerValue(received, 'host');
  if (config.allowUnauthenticated || host === undefined || isPrivateHost(host)) return undefined;
  return new LlameroError(
    'host_refused',
    `Without API keys the router does not answer as '${host}': add apiKeys, use an address or localhost, or set allowUnauthenticated: true`,
  );
}

/** A page may open WebSockets to any host and read what comes, for no preflight is asked; its origin is all that tells. */
export function findForeignSocket(received: readonly string[]): LlameroError | undefined {
  if (!isOtherSite(provenanceOf(received))) return undefined;
  return new LlameroError(
    'other_site_refused',
    'Without API keys a page of another site may open no WebSocket here',
  );
}

/** What a browser says of the page that made it send the request. */
export function provenanceOf(received: readonly string[]): Provenance {
  return {
    site: headerValue(received, 'sec-fetch-site'),
    origin: headerValue(received, 'origin'),
    host: headerValue(received, 'host'),
  };
}

/** True for addresses, names without a dot, this machine's own name and names that only a local network gives. */
export function isPrivateHost(host: string): boolean {
  if (host === lastPrivateHost) return true;
  const name = withoutPort(host).toLowerCase().replace(/\.$/, '');
  if (isIP(name) !== 0 || !name.includes('.') || privateEnds.some((end) => name.endsWith(end))) {
    lastPrivateHost = keptText(host);
    return true;
  }
  return name === hostname().toLowerCase();
}

/** Clients call by one name, request after request. Not this machine's own, which can change. */
let lastPrivateHost: string | undefined;

function withoutPort(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1];
  return bracketed ?? host.replace(/:\d*$/, '');
}
