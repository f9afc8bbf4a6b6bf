/**
 * Writes the head of an HTTP/1.1 request. Refuses, rather than repairs, anything that could smuggle a second line in:
 * control characters in the path or a header. Knows nothing of sockets.
 */
import type { UpstreamRequest } from '../upstream.ts';

/** The request cannot be put on the wire as it is; `message` says why. */
export class RequestFault extends Error {
  override readonly name = 'RequestFault';
}

/**
 * The head as latin1 text with its empty line. `connection` goes out as given (`Upgrade`); without it the version's
 * default, keep-alive, holds. A body always gets `Content-Length`; POST, PUT and PATCH without one get 0.
 * @throws RequestFault
 */
export function formatRequestHead(host: string, request: UpstreamRequest, connection?: string): string {
  const { method, path, headers, body } = request;
  if (!tokenPattern.test(method)) throw new RequestFault('bad method');
  if (!pathPattern.test(path)) throw new RequestFault('control character or blank in the path');
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (!tokenPattern.test(name)) throw new RequestFault('bad header name');
    if (!valuePattern.test(value)) throw new RequestFault(`control character in header '${name}'`);
    head += `${name}: ${value}\r\n`;
  }
  if (connection !== undefined) head += `Connection: ${connection}\r\n`;
  const bytes = body === undefined ? 0 : bytesOf(body);
  if (bytes > 0) head += `Content-Length: ${bytes}\r\n`;
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') head += 'Content-Length: 0\r\n';
  return `${head}\r\n`;
}

/** All pieces together. */
export function bytesOf(body: readonly Buffer[]): number {
  return body.reduce((sum, piece) => sum + piece.length, 0);
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const pathPattern = /^[\x21-\x7e\x80-\xff]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
