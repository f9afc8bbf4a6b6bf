/** `GET /` and `HEAD /`: Ollama's clients look there whether it is up. Browsers go elsewhere. */
import type { ClientRequest, ClientResponse } from '../client.ts';
import { headerValue } from '../headers.ts';

const greeting = 'Ollama is running';

/** False when somebody else has to answer: it is another path, or a browser, which gets a page. */
export function answerRoot(
  { method, rawHeaders }: ClientRequest,
  response: ClientResponse,
  { path, requestId }: { readonly path: string; readonly requestId: string },
): boolean {
  if (path !== '/' || (method !== 'GET' && method !== 'HEAD')) return false;
  if (headerValue(rawHeaders, 'accept')?.includes('text/html') === true) return false;
  response.writeHead(200, [
    'content-type',
    'text/plain; charset=utf-8',
    'content-length',
    String(greeting.length),
    'x-request-id',
    requestId,
  ]);
  response.end(method === 'HEAD' ? undefined : greeting);
  return true;
}
