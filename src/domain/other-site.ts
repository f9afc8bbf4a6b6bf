/**
 * Whether a request was sent by a page of another site. Such a page can make a browser send a POST here even though it
 * cannot read the answer. Browsers say where a request comes from; programs that are no browser say nothing and pass.
 */

export interface Provenance {
  /** The headers `sec-fetch-site`, `origin` and `host`. */
  readonly site: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

export function isOtherSite({ site, origin, host }: Provenance): boolean {
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && !isOwnOrigin(origin, host);
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
