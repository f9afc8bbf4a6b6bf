/**
 * Rolling numbers of what flows through the router, in total, per model and per backend: what the monitor shows.
 * Fed by the request table only. Metrics keep their own counters; these here forget.
 */
import { createRateMeter } from '../base/ewma.ts';
import type { RateMeter } from '../base/ewma.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { RequestRecord } from './request-record.ts';

/** Rates are of about the last half minute, sums since the start. */
export interface Traffic {
  /** Finished requests. */
  readonly requests: number;
  /** Those that failed by the fault of a backend or the router; cancellations and refusals are none. */
  readonly failures: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly requestsPerMinute: number;
  readonly outputTokensPerSecond: number;
}

export interface TrafficReadings {
  readonly total: Traffic;
  readonly byModel: ReadonlyMap<ModelName, Traffic>;
  readonly byBackend: ReadonlyMap<BackendId, Traffic>;
}

export interface TrafficStats {
  /** Output tokens that were seen passing by since the last call for this record. */
  tokensPassed(record: RequestRecord, tokens: number, nowMs: number): void;
  requestFinished(record: RequestRecord, nowMs: number): void;
  read(nowMs: number): TrafficReadings;
}

const halfLifeMs = 10_000;

/**
 * `keysMax`: most models and most backends kept apart; beyond it the one seen first is forgotten. Models count only once
 * a backend took a request for them, so that clients cannot fill the table with invented names.
 */
export function createTrafficStats(options: {
  readonly startedMs: number;
  readonly keysMax: number;
}): TrafficStats {
  const total = new TrafficCell(options.startedMs);
  const byModel = new Map<ModelName, TrafficCell>();
  const byBackend = new Map<BackendId, TrafficCell>();

  function cellOf(cells: Map<string, TrafficCell>, key: string): TrafficCell {
    const known = cells.get(key);
    if (known !== undefined) return known;
    if (cells.size >= options.keysMax) {
      for (const oldest of cells.keys()) {
        cells.delete(oldest);
        break;
      }
    }
    // Before its first request there was nothing, and that counts too: so that the parts add up to the total.
    const cell = new TrafficCell(options.startedMs);
    cells.set(key, cell);
    return cell;
  }

  return {
    tokensPassed(record, tokens, nowMs) {
      total.tokens.add(tokens, nowMs);
      if (record.backend === undefined) return;
      cellOf(byBackend, record.backend).tokens.add(tokens, nowMs);
      if (record.model !== undefined) cellOf(byModel, record.model).tokens.add(tokens, nowMs);
    },
    requestFinished(record, nowMs) {
      total.count(record, nowMs);
      if (record.backend === undefined) return;
      cellOf(byBackend, record.backend).count(record, nowMs);
      if (record.model !== undefined) cellOf(byModel, record.model).count(record, nowMs);
    },
    read(nowMs) {
      return {
        total: total.read(nowMs),
        byModel: readAll(byModel, nowMs),
        byBackend: readAll(byBackend, nowMs),
      };
    },
  };
}

/** The sums and meters of one model, one backend or everything. */
class TrafficCell {
  readonly tokens: RateMeter;
  readonly #finished: RateMeter;
  #requests = 0;
  #failures = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #cachedTokens = 0;

  constructor(startedMs: number) {
    this.tokens = createRateMeter({ halfLifeMs, startedMs });
    this.#finished = createRateMeter({ halfLifeMs, startedMs });
  }

  count(record: RequestRecord, nowMs: number): void {
    this.#requests += 1;
    this.#finished.add(1, nowMs);
    if (isFailure(record)) this.#failures += 1;
    const { usage } = record;
    if (usage === undefined) return;
    this.#inputTokens += usage.inputTokens;
    this.#outputTokens += usage.outputTokens;
    this.#cachedTokens += usage.cachedTokens;
  }

  read(nowMs: number): Traffic {
    return {
      requests: this.#requests,
      failures: this.#failures,
      inputTokens: this.#inputTokens,
      outputTokens: this.#outputTokens,
      cachedTokens: this.#cachedTokens,
      requestsPerMinute: this.#finished.perSecond(nowMs) * 60,
      outputTokensPerSecond: this.tokens.perSecond(nowMs),
    };
  }
}

function isFailure({ outcome }: RequestRecord): boolean {
  return outcome === 'failed_before_first_byte' || outcome === 'failed_midstream' || outcome === 'internal';
}

function readAll(cells: ReadonlyMap<string, TrafficCell>, nowMs: number): Map<string, Traffic> {
  const readings = new Map<string, Traffic>();
  for (const [key, cell] of cells) readings.set(key, cell.read(nowMs));
  return readings;
}
