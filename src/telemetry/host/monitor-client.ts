/**
 * Watches the monitor of another machine. Owns when it is asked and how long an answer is believed: a monitor that is
 * silent makes its machine unknown, never bad.
 */
import type { Clock } from '../../base/clock.ts';
import { readingAgeMsMax, type HostReading, type HostSampler } from '../../domain/host-reading.ts';
import type { HostLog } from './gpu-watch.ts';
import { parseMonitorBody } from './monitor-body.ts';

export interface MonitorClientOptions {
  /** Of `llamero gpu-monitor` or ollama-lb's sidecar; without a path `/metrics` is asked for. */
  readonly url: URL;
  /** undefined = it wants none. */
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly log: HostLog;
  /** From one answer to the next question; default 2 s. */
  readonly intervalMs?: number;
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

const intervalMsDefault = 2000;
const timeoutMsDefault = 5000;
const bodyBytesMax = 1_000_000;

/** Begins at once. Its timer does not keep the process alive. */
export function createMonitorClient(options: MonitorClientOptions): HostSampler {
  return new MonitorClient(options);
}

class MonitorClient implements HostSampler {
  readonly #options: MonitorClientOptions;
  readonly #url: URL;
  readonly #listeners = new Set<(reading: HostReading) => void>();
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void>;
  /** `takenMs`: when that machine was looked at, in time of this one. */
  #latest: { readonly reading: HostReading; readonly takenMs: number } | undefined;
  #isSilent = false;

  constructor(options: MonitorClientOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    if (this.#url.pathname === '/') this.#url.pathname = '/metrics';
    this.#asking = this.#ask();
  }

  latest(): HostReading | undefined {
    if (this.#latest === undefined) return undefined;
    const ageMs = this.#options.clock.nowMs() - this.#latest.takenMs;
    return ageMs <= readingAgeMsMax ? this.#latest.reading : undefined;
  }

  subscribe(listener: (reading: HostReading) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { clock, log, intervalMs = intervalMsDefault } = this.#options;
    try {
      const { reading, ageMs } = parseMonitorBody(JSON.parse(await this.#fetchText()));
      if (this.#closing.signal.aborted) return;
      const latest = { ...reading, atEpochMs: clock.epochMs() - ageMs };
      this.#latest = { reading: latest, takenMs: clock.nowMs() - ageMs };
      if (this.#isSilent) log.info({ url: this.#url.href }, 'The monitor of a host answers again');
      this.#isSilent = false;
      for (const listener of this.#listeners) listener(latest);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const details = { url: this.#url.href, problem: problemOf(error) };
      if (!this.#isSilent) log.warn(details, 'The monitor of a host does not answer');
      this.#isSilent = true;
    }
    this.#timer = setTimeout(() => {
      this.#asking = this.#ask();
    }, intervalMs).unref();
  }

  async #fetchText(): Promise<string> {
    const { key, timeoutMs = timeoutMsDefault } = this.#options;
    const response = await fetch(this.#url, {
      headers: { accept: 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      // It would take the key along to somebody else.
      redirect: 'error',
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`answered with ${response.status}`);
    }
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body) {
      bytes += part.length;
      if (bytes > bodyBytesMax) throw new Error(`answered with more than ${bodyBytesMax} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString('utf8');
  }
}

/** What `fetch` complains about is in the cause. */
function problemOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 200);
}
