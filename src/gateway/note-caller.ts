/** Who sent a request, for those who look at what runs: never a reason to decide anything, for clients may write it. */
import type { IncomingMessage } from 'node:http';
import type { RequestRecord } from '../store/request-record.ts';

export function noteCaller(record: RequestRecord, { rawHeaders, headers, socket }: IncomingMessage): void {
  record.requestHeaders = rawHeaders;
  record.remote =
    forwardedFor(headers['x-forwarded-for']) ?? single(headers['x-real-ip']) ?? socket.remoteAddress;
}

/** The first of a list is the client, the others are proxies. */
function forwardedFor(header: string | string[] | undefined): string | undefined {
  const [first] = (single(header) ?? '').split(',');
  return first?.trim() || undefined;
}

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined;
}
