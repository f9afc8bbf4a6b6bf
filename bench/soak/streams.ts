/**
 * Many streams open at once, each with an event every now and then: what one of them costs the router, whether any stalls, and
 * whether all is gone when all clients leave in the same moment.
 */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerReader } from '../overhead/answer-reader.ts';
import { Peer } from '../overhead/pinned-process.ts';
import { chatBody, frameBytes, modelName, type StubCount } from '../overhead/protocol.ts';
import { WatchedRouter, type Reading } from './watched-router.ts';

export interface StreamsOptions {
  readonly folder: string;
  readonly streams: number;
  /** Between two events of a stream. */
  readonly intervalMs: number;
  readonly say: (line: string) => void;
}

/** All of the router. The first time nothing in it has ever been as large; the second time memory is used again. */
export interface StreamsResult {
  readonly streams: number;
  readonly intervalMs: number;
  readonly times: readonly StreamsTime[];
  readonly broken: readonly string[];
}

export interface StreamsTime {
  readonly before: Reading;
  /** After `openS` seconds with all of them. */
  readonly open: Reading;
  /** When all have left. */
  readonly after: Reading;
  /** The longest silence of a stream: of half of them, of all but one in a hundred, of all. */
  readonly silenceMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** From the moment in which all clients leave until the engine has none of them. */
  readonly goneMs: number;
}

interface OpenStream {
  readonly socket: Socket;
  bytes: number;
  lastMs: number;
  silenceMs: number;
}

const openS = 20;
const perTick = 20;
const waitMsMax = 30_000;
const stubEngine = join(import.meta.dirname, '..', 'overhead', 'stub-engine.ts');

/** Twice the same, in one router. */
export async function runStreams(options: StreamsOptions): Promise<StreamsResult> {
  const { folder, streams, intervalMs, say } = options;
  const stub = new Peer<object, StubCount>('stub', stubEngine);
  const { port } = (await stub.next()) as unknown as { port: number };
  const config = {
    listen: '127.0.0.1:0',
    backends: { stub: { url: `http://127.0.0.1:${port}`, engine: 'llamacpp' } },
    log: { requests: false },
  };
  const router = await WatchedRouter.start({ folder, config });
  const broken: string[] = [];
  const times: StreamsTime[] = [];
  try {
    await until(async () => (await router.status()).backends.every(({ state }) => state === 'live'));
    const rig = { ...options, router, stub, broken };
    await openAndLeave({ ...rig, streams: 50, seconds: 2 });
    for (const time of ['first', 'second']) {
      const result = await openAndLeave({ ...rig, seconds: openS });
      times.push(result);
      const each = (result.open.rssBytes - result.before.rssBytes) / streams / 1000;
      const { max } = result.silenceMs;
      say(
        `${time} time: ${each.toFixed(1)} KB each, silent up to ${max.toFixed(0)} ms, gone in ${result.goneMs} ms`,
      );
    }
  } finally {
    await router.close();
    await stub.close();
  }
  return { streams, intervalMs, times, broken };
}

interface Rig extends StreamsOptions {
  readonly router: WatchedRouter;
  readonly stub: Peer<object, StubCount>;
  readonly broken: string[];
  readonly seconds: number;
}

async function openAndLeave(rig: Rig): Promise<StreamsTime> {
  const { router, stub, streams, broken, seconds, intervalMs } = rig;
  const before = await router.read();
  const open = await openAll(rig);
  // Its readings begin anew: opening them all is no part of what follows.
  await router.get('/metrics');
  for (const stream of open) stream.silenceMs = 0;
  await sleep(seconds * 1000);
  const silences = open.map(({ silenceMs }) => silenceMs).toSorted((one, other) => one - other);
  const slow = open.filter(({ bytes }) => bytes / frameBytes < (seconds * 1000) / intervalMs - 2).length;
  if (slow > 0) broken.push(`${slow} of ${streams} streams brought too few events`);
  const reading = await router.read();
  if (reading.inFlight !== streams) broken.push(`${reading.inFlight} requests in flight, not ${streams}`);
  const leftMs = performance.now();
  for (const { socket } of open) socket.destroy();
  await until(async () => (await stub.ask({})).openStreams === 0);
  const goneMs = Math.round(performance.now() - leftMs);
  await until(async () => {
    const { requests, backends } = await router.status();
    return requests.in_flight === 0 && backends.every(({ slots }) => slots.free === slots.total);
  });
  const quantile = (share: number): number => silences[Math.ceil(share * silences.length) - 1] ?? Number.NaN;
  const silenceMs = { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) };
  return { before, open: reading, after: await router.read(), silenceMs, goneMs };
}

/** Resolves when each has brought its first event. */
async function openAll({ router, streams, intervalMs, broken }: Rig): Promise<OpenStream[]> {
  const body = chatBody(1024, { chunks: 1_000_000, intervalMs });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const request = Buffer.concat([Buffer.from(head), body]);
  const port = Number(new URL(router.url).port);
  const open: OpenStream[] = [];
  while (open.length < streams) {
    for (let n = 0; n < perTick && open.length < streams; n += 1)
      open.push(openStream(port, request, broken));
    await sleep(5);
  }
  await until(() => open.every(({ bytes }) => bytes > 0));
  return open;
}

function openStream(port: number, request: Buffer, broken: string[]): OpenStream {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const stream: OpenStream = { socket, bytes: 0, lastMs: performance.now(), silenceMs: 0 };
  const reader = new AnswerReader({
    onBody(bytes) {
      const nowMs = performance.now();
      stream.silenceMs = Math.max(stream.silenceMs, nowMs - stream.lastMs);
      stream.lastMs = nowMs;
      stream.bytes += bytes;
    },
    onEnd: ({ status }) => broken.push(`a stream of ${modelName} ended with status ${status}`),
  });
  socket.on('data', (data: Buffer) => reader.push(data));
  socket.on('error', (error) => broken.push(`a connection broke: ${error.message}`));
  socket.write(request);
  return stream;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + waitMsMax;
  while (!(await condition())) {
    if (performance.now() > deadlineMs)
      throw new Error(`not so within ${waitMsMax} ms: ${String(condition)}`);
    await sleep(5);
  }
}
