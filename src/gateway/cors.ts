/**
 * What a page of another origin may do here. A preflight on the data plane is answered for every origin: without keys a
 * page could send such a request anyhow, as a plain form, and cannot read its answer; with keys it must know one, and
 * then may read it. The control plane answers no preflight, so no page of another origin can use it.
 */
import type { ClientRequest, ClientResponse } from './client.ts';
import { headerValue } from './headers.ts';

const allMethods = 'GET, POST, PUT, PATCH, DELETE, OPTIONS';
/** Without keys no more than what a form can do. */
const formMethods = 'GET, POST, OPTIONS';
const headersDefault = 'Content-Type, Authorization, Accept, X-Requested-With';
const maxAgeS = 86_400;
/** RFC 9110 §5.6.2. */
const token = /^[\w!#$%&'*+.^`|~-]+$/;

/** A browser asks whether it may send what a page of another origin wants to. */
export function isPreflight({ method, rawHeaders }: ClientRequest): boolean {
  return (
    method === 'OPTIONS' &&
    headerValue(rawHeaders, 'origin') !== undefined &&
    headerValue(rawHeaders, 'access-control-request-method') !== undefined
  );
}

export function answerPreflight(
  { rawHeaders }: ClientRequest,
  response: ClientResponse,
  { keysRequired }: { readonly keysRequired: boolean },
): void {
  response.writeHead(204, [
    'access-control-allow-origin',
    '*',
    'access-control-allow-methods',
    keysRequired ? allMethods : formMethods,
    'access-control-allow-headers',
    allowedHeaders(headerValue(rawHeaders, 'access-control-request-headers')),
    'access-control-max-age',
    String(maxAgeS),
  ]);
  response.end();
}

/** The names that were asked for, without what is no header name; the usual ones if none is left. */
export function allowedHeaders(requested: string | undefined): string {
  const names = (requested ?? '').split(',').map((name) => name.trim());
  const valid = names.filter((name) => token.test(name));
  return valid.length === 0 ? headersDefault : valid.join(', ');
}

/** The answer may be read by a page of any origin: it has sent a key of its own, for browsers add none. */
export function allowReading({ rawHeaders }: ClientRequest, response: ClientResponse): void {
  if (headerValue(rawHeaders, 'origin') !== undefined) response.setHeader('access-control-allow-origin', '*');
}
