/** A client that shows what a comfortable one hides: raw bytes, abnormal ends, the moment of each chunk. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** False when the connection ended before the body was complete. */
  readonly complete: boolean;
  readonly json: () => Record<string, unknown>;
}

export interface Asking {
  readonly request: ClientRequest;
  readonly head: Promise<IncomingMessage>;
  readonly answer: Promise<Answer>;
  /** Breaks the connection off. */
  leave(): void;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON. */
  readonly body?: object | string | Buffer;
  readonly onChunk?: (chunk: Buffer) => void;
}

export function ask(url: string, options: AskOptions = {}): Asking {
  const { body, onChunk } = options;
  const sent = typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body;
  const request = httpRequest(url, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(sent === undefined ? {} : { 'content-length': Buffer.byteLength(sent) }),
      ...options.headers,
    },
    agent: false,
  });
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  const answer = head.then(
    (response) =>
      new Promise<Answer>((resolve) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          onChunk?.(chunk);
        });
        response.on('error', () => {});
        response.on('close', () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: whole,
            complete: response.complete,
            json: () => JSON.parse(whole.toString()) as Record<string, unknown>,
          });
        });
      }),
  );
  head.catch(() => {});
  answer.catch(() => {});
  request.end(sent);
  return { request, head, answer, leave: () => request.destroy() };
}

/** A chat request; `more` goes into its body. */
export function chat(
  url: string,
  more: object = {},
  options: Omit<AskOptions, 'body' | 'method'> = {},
): Asking {
  const body = {
    model: 'tiny',
    messages: [{ role: 'user', content: 'tell me of the river' }],
    max_tokens: 8,
    ...more,
  };
  return ask(`${url}/v1/chat/completions`, { ...options, body });
}
