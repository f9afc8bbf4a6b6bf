/** Who sent a request, for those who look at what runs: never a reason to decide anything, for clients may write it. */
import { keptText } from '../base/kept-text.ts';
import type { RequestRecord } from '../store/request-record.ts';
import type { ClientRequest } from './client.ts';
import { headerValue } from './headers.ts';

export function noteCaller(record: RequestRecord, { rawHeaders, remoteAddress }: ClientRequest): void {
  record.requestHeaders = rawHeaders;
  const told =
    forwardedFor(headerValue(rawHeaders, 'x-forwarded-for')) || headerValue(rawHeaders, 'x-real-ip');
  record.remote = told ? keptText(told) : remoteAddress;
}

/** The first of a list is the client, the others are proxies. */
function forwardedFor(header = ''): string {
  const comma = header.indexOf(',');
  return (comma === -1 ? header : header.slice(0, comma)).trim();
}
