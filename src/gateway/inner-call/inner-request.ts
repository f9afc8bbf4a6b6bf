/** A request that the router itself sends, as the life of a request sees one: its body is there, its client is somebody else's. */
import type { LlameroError } from '../../domain/errors.ts';
import type { ClientRequest } from '../client.ts';
import { bodyTooLarge } from '../read-body.ts';

export interface InnerRequestSource {
  readonly path: string;
  /** JSON. */
  readonly body: Buffer;
  /** Whose headers and address are shown. */
  readonly client: Pick<ClientRequest, 'rawHeaders' | 'remoteAddress'>;
}

const empty = Buffer.alloc(0);
/** They say how another body came, and in which form its answer was wanted. */
const ofTheOtherBody: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'expect',
  'accept',
  'accept-encoding',
]);

export class InnerRequest implements ClientRequest {
  readonly method = 'POST';
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string | undefined;
  #body: Buffer;

  constructor({ path, body, client }: InnerRequestSource) {
    this.url = path;
    this.rawHeaders = [...withoutBodyHeaders(client.rawHeaders), 'content-type', 'application/json'];
    this.remoteAddress = client.remoteAddress;
    this.#body = body;
  }

  readBody(bytesMax: number, done: (error: LlameroError | undefined, body: Buffer) => void): void {
    const body = this.#body;
    if (body.length > bytesMax) done(bodyTooLarge(body.length, bytesMax), empty);
    else done(undefined, body);
  }

  releaseBody(): void {
    this.#body = empty;
  }
}

function withoutBodyHeaders(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!ofTheOtherBody.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}
