/**
 * What happens in the router, as it happens, for any number of readers of `/api/events`. Listens to the rest of the
 * router only while somebody reads. A reader that is too slow loses messages and then gets the whole state again.
 */
import type { RequestId } from '../domain/ids.ts';
import type { RequestRecord } from '../store/request-record.ts';
import type { EventData, EventType } from './contract-events.ts';
import type { AdminDeps } from './deps.ts';
import { describeInflight, describeModels } from './describe-events.ts';
import { MessageQueue } from './message-queue.ts';

export type EventFeedDeps = Pick<
  AdminDeps,
  | 'clock'
  | 'log'
  | 'requests'
  | 'models'
  | 'profile'
  | 'logs'
  | 'activity'
  | 'sessionHeaders'
  | 'ending'
  | 'hooks'
>;

/** Messages that may wait for one reader. */
const pendingMax = 1024;
/** Several changes of models in a row are one message. */
const modelsDelayMs = 50;
/** How often running requests are looked at for bytes and headers. */
const progressMs = 250;
const heartbeatMs = 15_000;
const heartbeat = ':\n\n';

interface Reader {
  readonly queue: MessageQueue;
  /** Messages were lost: it gets the state anew when it has read what waits. */
  stale: boolean;
}

export class EventFeed {
  readonly #deps: EventFeedDeps;
  readonly #readers = new Set<Reader>();
  /** What readers were told of running requests: bytes and phase. */
  readonly #told = new Map<RequestId, string>();
  /** The last message about models. */
  #toldModels = '';
  #stop: (() => void) | undefined;
  #modelsTimer: NodeJS.Timeout | undefined;

  constructor(deps: EventFeedDeps) {
    this.#deps = deps;
  }

  /** A stream of server-sent events: the state now, then every change. */
  open(): ReadableStream<Uint8Array> {
    const reader: Reader = { queue: new MessageQueue(pendingMax), stale: false };
    const { ending } = this.#deps;
    const left = new AbortController();
    const end = (): void => {
      ending.removeEventListener('abort', end);
      left.abort();
      this.#close(reader);
    };
    ending.addEventListener('abort', end);
    this.#readers.add(reader);
    this.#stop ??= this.#listen();
    for (const message of this.#state()) reader.queue.push(message);
    for (const source of ['proxy', 'upstream'] as const) void this.#copyLog(reader, source, left.signal);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const text = await reader.queue.take();
          if (text === undefined) {
            controller.close();
            return;
          }
          controller.enqueue(Buffer.from(text));
          if (reader.stale) this.#refresh(reader);
        },
        cancel: end,
      },
      { highWaterMark: 0 },
    );
  }

  /** Tells every reader that has room. */
  #send<Type extends EventType>(type: Type, data: EventData<Type>): void {
    this.#sendText(encode(type, data));
  }

  #sendText(message: string): void {
    for (const reader of this.#readers) if (!reader.queue.push(message)) reader.stale = true;
  }

  #refresh(reader: Reader): void {
    reader.stale = false;
    this.#deps.log.debug('A reader of /api/events was too slow, it gets everything anew');
    for (const message of this.#state()) reader.queue.push(message);
  }

  #state(): string[] {
    const { models, profile, sessionHeaders } = this.#deps;
    return [
      encode('modelStatus', describeModels(models)),
      encode('uiConfig', { activity: { session_id: [...sessionHeaders()] } }),
      encode('profileChanged', { active: profile.name ?? null }),
      encode('inflight', {
        operation: 'snapshot',
        requests: this.#inflight().map((each) => describeInflight(each, this.#deps)),
      }),
    ];
  }

  /** Those whose body is still read have no model yet. */
  #inflight(): RequestRecord[] {
    return [...this.#deps.requests.inFlight()].filter(({ phase }) => phase !== 'reading');
  }

  /** Returns what ends it. */
  #listen(): () => void {
    const { requests, models, profile, activity, hooks } = this.#deps;
    const ends = [
      requests.subscribe({
        changed: (record) => this.#changed(record),
        finished: (record) => this.#finished(record),
      }),
      models.subscribe(() => this.#modelsChanged()),
      profile.subscribe((active) => {
        this.#send('profileChanged', { active: active ?? null });
        this.#modelsChanged();
      }),
      hooks.subscribe(({ durationMs, ...report }) =>
        this.#send('hook', { ...report, duration_ms: durationMs }),
      ),
      activity.subscribe((id) => this.#send('activity', { id })),
    ];
    const progress = setInterval(() => {
      for (const record of this.#inflight()) this.#changed(record);
    }, progressMs).unref();
    const beat = setInterval(() => this.#sendText(heartbeat), heartbeatMs).unref();
    return () => {
      for (const end of ends) end();
      clearInterval(progress);
      clearInterval(beat);
      clearTimeout(this.#modelsTimer);
      this.#modelsTimer = undefined;
      this.#told.clear();
    };
  }

  #changed(record: RequestRecord): void {
    if (record.phase === 'reading') return;
    const state = `${record.phase} ${record.bytesOut} ${record.responseHeaders?.length ?? 0}`;
    if (this.#told.get(record.id) === state) return;
    this.#told.set(record.id, state);
    this.#send('inflight', { operation: 'upsert', request: describeInflight(record, this.#deps) });
  }

  #finished({ id, phase }: RequestRecord): void {
    if (phase === 'reading') return;
    this.#told.delete(id);
    this.#send('inflight', { operation: 'remove', id });
  }

  #modelsChanged(): void {
    this.#modelsTimer ??= setTimeout(() => {
      this.#modelsTimer = undefined;
      const message = encode('modelStatus', describeModels(this.#deps.models));
      if (message === this.#toldModels) return;
      this.#toldModels = message;
      this.#sendText(message);
    }, modelsDelayMs).unref();
  }

  async #copyLog(reader: Reader, source: 'proxy' | 'upstream', signal: AbortSignal): Promise<void> {
    const decoder = new TextDecoder();
    const output = this.#deps.logs.find(source);
    if (output === undefined) return;
    for await (const bytes of output.subscribe({ withHistory: true, signal })) {
      // The log keeps what comes in the meantime, and says so where it cannot.
      await reader.queue.room();
      reader.queue.push(encode('logData', { source, data: decoder.decode(bytes, { stream: true }) }));
    }
  }

  #close(reader: Reader): void {
    reader.queue.close();
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }
}

function encode<Type extends EventType>(type: Type, data: EventData<Type>): string {
  return `event:message\ndata:${JSON.stringify({ type, data: JSON.stringify(data) })}\n\n`;
}
