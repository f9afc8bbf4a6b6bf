/**
 * The beginning of a stream that is the router's own: while an engine has not sent anything yet, the client gets the
 * status line and signs of life in its dialect. Knows nothing of backends; ends when the engine's first byte is there.
 */
import type { RouteName } from '../domain/routes.ts';
import type { ClientResponse } from './client.ts';
import type { Route } from './routes.ts';

/** Routes whose streams can begin before there is something to say. */
const earlyRoutes: ReadonlySet<RouteName> = new Set([
  'chat-completions',
  'completions',
  'native-completion',
  'infill',
  'responses',
  'messages',
  'ollama-chat',
  'ollama-generate',
]);

export interface EarlyStreamOptions {
  readonly response: ClientResponse;
  readonly route: Route;
  readonly requestId: string;
  /** Silence after which the client gets a sign of life, again and again; 0 = none. */
  readonly silenceMs: number;
}

/** Whether a request that asked for a stream can be told something before the engine answers. */
export function canBeginEarly(route: Route): boolean {
  return earlyRoutes.has(route.name);
}

/** Waits from the start for the first silence. */
export class EarlyStream {
  readonly #options: EarlyStreamOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: EarlyStreamOptions) {
    this.#options = options;
    const { silenceMs } = options;
    this.#timer = silenceMs > 0 ? setTimeout(() => this.#silence(), silenceMs) : undefined;
  }

  /** True once the head is out: from then on the status is 200, and an error is an event. */
  get begun(): boolean {
    return this.#options.response.headersSent;
  }

  /** Sends text, the head before it. Left out when the client reads too slowly, or after `end`. */
  write(text: string): void {
    if (this.#ended) return;
    const { response } = this.#options;
    if (!response.headersSent) this.#begin();
    this.#timer?.refresh();
    if (!response.writableNeedDrain) response.write(text);
  }

  /** From now on the bytes of the stream come from the engine, or none come any more. Idempotent. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #begin(): void {
    const { response, route, requestId } = this.#options;
    response.writeHead(200, [
      'content-type',
      route.dialect === 'ollama' ? 'application/x-ndjson' : 'text/event-stream',
      'cache-control',
      'no-cache',
      'x-accel-buffering',
      'no',
      'x-request-id',
      requestId,
    ]);
  }

  #silence(): void {
    this.write(signOfLife(this.#options.route));
  }
}

/**
 * Clients of the Messages API know an event for this, and readers of JSON lines skip blanks before an object (an empty
 * line makes Ollama's own client complain); for everybody else it is a comment, which no reader shows.
 */
function signOfLife({ dialect }: Route): string {
  if (dialect === 'ollama') return ' ';
  return dialect === 'anthropic' ? 'event: ping\ndata: {"type":"ping"}\n\n' : ':\n\n';
}
