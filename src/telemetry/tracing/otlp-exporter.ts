/**
 * Sends spans to a collector in batches. Owns what waits, which is bounded: what does not fit or cannot be sent is counted
 * and gone. Never in anybody's way.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Logger } from 'pino';
import { toOtlpJson, type OtlpOrigin } from './otlp-json.ts';
import type { Span } from './span.ts';
import type { BatchSettings, TracingSettings } from './tracing-settings.ts';

export interface OtlpExporterOptions extends OtlpOrigin {
  readonly settings: Pick<TracingSettings, 'url' | 'headers' | 'timeoutMs' | 'gzip' | 'batch'>;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

const compress = promisify(gzip);
const triesMax = 3;
/** Statuses after which the same batch may be sent again, by the protocol. */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export class OtlpExporter {
  readonly #options: OtlpExporterOptions;
  readonly #batch: BatchSettings;
  readonly #timer: NodeJS.Timeout;
  #waiting: Span[] = [];
  #sending: Promise<void> | undefined;
  #tries = 0;
  #failing = false;
  #exported = 0;
  #dropped = 0;

  constructor(options: OtlpExporterOptions) {
    this.#options = options;
    this.#batch = options.settings.batch;
    this.#timer = setInterval(() => this.#send(), this.#batch.intervalMs).unref();
  }

  /** Spans so far, by what became of them. */
  get counts(): { readonly exported: number; readonly dropped: number } {
    return { exported: this.#exported, dropped: this.#dropped };
  }

  add(spans: readonly Span[]): void {
    const room = Math.max(0, this.#batch.waitingMax - this.#waiting.length);
    this.#waiting.push(...spans.slice(0, room));
    this.#dropped += Math.max(0, spans.length - room);
    if (this.#waiting.length >= this.#batch.spansMax && !this.#failing) this.#send();
  }

  /** Sends what waits; resolves when that is done or after `msMax`. What is left then is dropped. */
  async close(msMax: number): Promise<void> {
    clearInterval(this.#timer);
    const deadlineMs = performance.now() + msMax;
    const { spansMax, waitingMax } = this.#batch;
    const batches = 1 + Math.ceil(waitingMax / spansMax) + triesMax;
    for (let batch = 0; batch < batches; batch += 1) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0 || (this.#waiting.length === 0 && this.#sending === undefined)) break;
      this.#send();
      await Promise.race([this.#sending, elapsed(leftMs)]);
    }
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
  }

  #send(): void {
    if (this.#sending !== undefined || this.#waiting.length === 0) return;
    const batch = this.#waiting.slice(0, this.#batch.spansMax);
    this.#sending = this.#post(batch).then((result) => {
      this.#sending = undefined;
      this.#tries = result === 'again' ? this.#tries + 1 : 0;
      if (result === 'again' && this.#tries < triesMax) return;
      this.#tries = 0;
      this.#waiting = this.#waiting.slice(batch.length);
      if (result === 'sent') this.#exported += batch.length;
      else this.#dropped += batch.length;
      if (result === 'sent' && this.#waiting.length >= this.#batch.spansMax) this.#send();
    });
  }

  async #post(batch: readonly Span[]): Promise<'sent' | 'again' | 'refused'> {
    const { url, headers, timeoutMs, gzip: isCompressed } = this.#options.settings;
    try {
      const json = toOtlpJson(batch, this.#options);
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          ...(isCompressed && { 'content-encoding': 'gzip' }),
        },
        body: isCompressed ? await compress(json) : json,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      this.#note(response.ok ? undefined : `status ${response.status}`);
      if (response.ok) return 'sent';
      return retryable.has(response.status) ? 'again' : 'refused';
    } catch (error) {
      this.#note(error instanceof Error ? reasonOf(error) : String(error));
      return 'again';
    }
  }

  /** Said once, not once per batch. */
  #note(problem: string | undefined): void {
    const { log, settings } = this.#options;
    const collector = new URL(settings.url).host;
    if (problem !== undefined && !this.#failing)
      log.warn({ collector, problem }, 'traces cannot be delivered');
    if (problem === undefined && this.#failing) log.info({ collector }, 'traces are delivered again');
    this.#failing = problem !== undefined;
  }
}

/** fetch hides the reason one level below. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
