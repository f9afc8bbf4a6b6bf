/** What of requests and answers is kept: rows of activity, captures, answers to go on from, accounts. Owns these stores, decides what goes in. */
import { resolve } from 'node:path';
import type { ActivityLookup } from './admin/deps.ts';
import type { Clock } from './base/clock.ts';
import type { ModelsConfig } from './config/models.ts';
import type { Config } from './config/schema.ts';
import { repairText } from './domain/repair-record.ts';
import type { ManagedProcess } from './process/process-state.ts';
import { isRemembered, toActivityRow } from './store/activity-row.ts';
import { Activity, type ActivityOptions } from './store/activity.ts';
import { Captures } from './store/captures.ts';
import type { RequestRecord } from './store/request-record.ts';
import type { StoreFaults, StoreName } from './store/store-faults.ts';
import { Responses, responsesPath, type ResponsesOptions } from './store/responses.ts';
import { tryToUsageEntry } from './store/usage-entry.ts';
import { usagePath } from './store/usage-table.ts';
import { Usage, type UsageOptions } from './store/usage.ts';

export interface ActivityKeeperOptions {
  readonly clock: Clock;
  readonly config: Config;
  readonly models: () => ModelsConfig;
  /** The process of a model; undefined = it has none. */
  readonly processOf: (model: string) => ManagedProcess | undefined;
  readonly faults: StoreFaults;
}

const bytesPerMb = 1024 ** 2;

export class ActivityKeeper implements ActivityLookup {
  readonly captures: Captures;
  readonly responses: Responses;
  readonly usage: Usage;
  readonly #options: ActivityKeeperOptions;
  readonly #activity: Activity;
  readonly #listeners = new Set<(id: number) => void>();
  /** In memory for want of their files. */
  readonly #unopened = new Set<StoreName>();

  constructor(options: ActivityKeeperOptions) {
    const { config, clock } = options;
    this.#options = options;
    this.captures = new Captures(captureBytes(config), clock);
    this.#activity = new Activity({ ...this.#storeOptions(config), path: undefined });
    this.responses = new Responses({ ...this.#responsesOptions(config), path: undefined });
    this.usage = new Usage({ ...this.#usageOptions(config), path: undefined });
    this.#openStores(config);
  }

  /** Takes over another configuration. */
  configure(config: Config): void {
    this.captures.configure(captureBytes(config));
    this.#openStores(config);
  }

  /** For every request that has ended. */
  finished(record: RequestRecord): void {
    const { capture, requestHeaders, responseHeaders = [] } = record;
    const used = tryToUsageEntry(record);
    if (used !== undefined) this.usage.add(used);
    // The record is kept for a while; its caller's secrets need not be.
    record.capture = undefined;
    record.requestHeaders = [];
    if (!isRemembered(record)) {
      capture?.drop();
      return;
    }
    const metadata = this.#metadataOf(record);
    const id = this.#activity.add(toActivityRow(record, { loadMs: this.#loadMs(record), metadata }));
    // Each is a part of the text of a whole head, which would be kept with it.
    record.responseHeaders = undefined;
    if (capture !== undefined) {
      this.captures.add(id, {
        path: record.path,
        requestHeaders,
        responseHeaders,
        draft: capture,
        keepsAnswer: (record.status ?? 0) < 400,
      });
    }
    for (const listener of this.#listeners) listener(id);
  }

  readonly list: ActivityLookup['list'] = (filter, page) => this.#activity.list(filter, page);
  readonly totals: ActivityLookup['totals'] = (models) => this.#activity.totals(models);

  subscribe(listener: (id: number) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  close(): void {
    this.#activity.close();
    this.responses.close();
    this.usage.close();
    this.captures.close();
  }

  /** A router whose disk is full still routes; a store that cannot be opened stays where it was. */
  #openStores(config: Config): void {
    this.#open('activity', () => this.#activity.configure(this.#storeOptions(config)));
    this.#open('responses', () => this.responses.configure(this.#responsesOptions(config)));
    this.#open('usage', () => this.usage.configure(this.#usageOptions(config)));
  }

  #open(store: StoreName, configure: () => void): void {
    try {
      configure();
      if (this.#unopened.delete(store)) this.#options.faults.worked(store);
    } catch (error) {
      this.#unopened.add(store);
      this.#options.faults.failed(store, error);
    }
  }

  #tellsOf(store: StoreName): { readonly onFault: (error: unknown) => void; readonly onWritten: () => void } {
    const { faults } = this.#options;
    return {
      onFault: (error) => faults.failed(store, error),
      onWritten: () => {
        if (!this.#unopened.has(store)) faults.worked(store);
      },
    };
  }

  #storeOptions({ store, metricsMaxInMemory }: Config): ActivityOptions {
    const { onFault, onWritten } = this.#tellsOf('activity');
    return {
      path: store === undefined ? undefined : resolve(store.path),
      rowsMax: store === undefined ? metricsMaxInMemory : endlessIfZero(store.rowsMax),
      ageMsMax: endlessIfZero(store?.ageMax ?? 0),
      nowEpochMs: () => this.#options.clock.epochMs(),
      onLost: onFault,
      onWritten,
    };
  }

  #responsesOptions({ store, responses }: Config): ResponsesOptions {
    const { onFault, onWritten } = this.#tellsOf('responses');
    return {
      path: store === undefined ? undefined : responsesPath(resolve(store.path)),
      rowsMax: responses.rowsMax,
      bytesMax: responses.sizeMax,
      ageMsMax: endlessIfZero(responses.ageMax),
      nowEpochMs: () => this.#options.clock.epochMs(),
      onLost: onFault,
      onWritten,
    };
  }

  #usageOptions({ store, usage }: Config): UsageOptions {
    return {
      path: store === undefined ? undefined : usagePath(resolve(store.path)),
      minutesMs: usage.minutes,
      hoursMs: usage.hours,
      ageMsMax: endlessIfZero(usage.ageMax),
      rowsMax: usage.rowsMax,
      nowEpochMs: () => this.#options.clock.epochMs(),
      ...this.#tellsOf('usage'),
    };
  }

  #metadataOf({ model, selector, repairs, cache }: RequestRecord): Record<string, string> {
    const priority = model === undefined ? undefined : this.#options.models().priorities.get(model);
    const metadata: Record<string, string> = { fifo_priority: String(priority ?? 0) };
    if (selector !== undefined) metadata['selector'] = selector;
    if (cache !== undefined) metadata['cache'] = cache.result;
    if (repairs.length > 0) metadata['repaired'] = repairs.map(repairText).join(', ');
    return metadata;
  }

  /** The part of the wait in which the process of its model became ready. */
  #loadMs({ backend, queuedAtMs, grantedAtMs }: RequestRecord): number {
    const state = backend === undefined ? undefined : this.#options.processOf(backend)?.state;
    if (state?.name !== 'ready' || queuedAtMs === undefined || grantedAtMs === undefined) return 0;
    return Math.max(0, Math.min(state.readyAtMs, grantedAtMs) - Math.max(state.startedAtMs, queuedAtMs));
  }
}

/** Prompts are kept where llama-swap would keep them; a plain balancer has no business to. */
function captureBytes({ captureBuffer, models, peers }: Config): number {
  const hasModels = Object.keys(models).length > 0 || Object.keys(peers).length > 0;
  return hasModels ? captureBuffer * bytesPerMb : 0;
}

function endlessIfZero(value: number): number {
  return value === 0 ? Number.POSITIVE_INFINITY : value;
}
