/**
 * An engine that costs next to nothing: raw sockets, canned answers, paced streams. Speaks enough of llama.cpp that a
 * router takes it for one with many slots. Runs as its own process; says its port over IPC.
 */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { modelName, plainAnswer, streamFrame, streamTail } from './protocol.ts';

const slots = 2048;
const contextTokens = 262_144;
const tickMs = 2;

interface Stream {
  readonly socket: Socket;
  readonly intervalMs: number;
  left: number;
  nextAtMs: number;
}

const streams = new Set<Stream>();
const chunk = (payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${payload.length.toString(16)}\r\n`), payload, Buffer.from('\r\n')]);
const frame = chunk(streamFrame());
const tail = Buffer.concat([chunk(streamTail), Buffer.from('0\r\n\r\n')]);
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nServer: llama.cpp\r\n\r\n',
);

function jsonAnswer(status: string, body: Buffer): Buffer {
  const head = `HTTP/1.1 ${status}\r\nServer: llama.cpp\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const json = (value: unknown): Buffer => jsonAnswer('200 OK', Buffer.from(JSON.stringify(value)));
const completion = jsonAnswer('200 OK', plainAnswer);
const notFound = jsonAnswer(
  '404 Not Found',
  Buffer.from('{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'),
);
const models = json({
  object: 'list',
  data: [
    {
      id: modelName,
      object: 'model',
      created: 1_795_193_714,
      owned_by: 'llamacpp',
      meta: { n_ctx: contextTokens, n_ctx_train: contextTokens },
    },
  ],
});
const pages = new Map<string, Buffer>([
  ['/health', json({ status: 'ok' })],
  ['/v1/models', models],
  ['/models', models],
  [
    '/slots',
    json(Array.from({ length: slots }, (_, id) => ({ id, n_ctx: contextTokens, is_processing: false }))),
  ],
  [
    '/props',
    json({
      default_generation_settings: { n_ctx: contextTokens },
      total_slots: slots,
      model_alias: modelName,
      build_info: 'b1-bench',
      is_sleeping: false,
    }),
  ],
]);

const server = createServer({ noDelay: true }, (socket) => {
  let head: Buffer | undefined;
  /** Bytes of the current body still to come; undefined between requests. */
  let bodyLeft: number | undefined;
  let bodyStart = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    let at = 0;
    while (at < data.length) {
      if (bodyLeft === undefined) {
        const rest = head === undefined ? data.subarray(at) : Buffer.concat([head, data.subarray(at)]);
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) {
          head = rest;
          return;
        }
        at = data.length - (rest.length - end - 4);
        head = undefined;
        const text = rest.toString('latin1', 0, end);
        if (text.startsWith('GET ')) {
          socket.write(pages.get(text.slice(4, text.indexOf(' ', 4))) ?? notFound);
          continue;
        }
        const length = /\r\ncontent-length: *(\d+)/i.exec(text);
        if (length === null) {
          socket.end('HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
          return;
        }
        bodyLeft = Number(length[1]);
        bodyStart = '';
      }
      const taken = Math.min(bodyLeft, data.length - at);
      if (bodyStart.length < 200) bodyStart += data.toString('latin1', at, at + Math.min(taken, 200));
      bodyLeft -= taken;
      at += taken;
      if (bodyLeft === 0) {
        bodyLeft = undefined;
        answer(socket, bodyStart);
      }
    }
  });
});

function answer(socket: Socket, bodyStart: string): void {
  const asked = /"stream":true,"bench_chunks":(\d+),"bench_interval_ms":(\d+)/.exec(bodyStart);
  if (asked === null) {
    socket.write(completion);
    return;
  }
  const intervalMs = Number(asked[2]);
  socket.write(streamHead);
  const stream = { socket, intervalMs, left: Number(asked[1]), nextAtMs: performance.now() };
  streams.add(stream);
  socket.once('close', () => streams.delete(stream));
}

/** Writes what is due. A stream keeps its own phase, so frames of many streams are spread over the interval. */
function tick(): void {
  const now = performance.now();
  for (const stream of streams) {
    if (stream.nextAtMs > now) continue;
    stream.nextAtMs += stream.intervalMs;
    if (stream.left > 0) {
      stream.left -= 1;
      stream.socket.write(frame);
    } else {
      streams.delete(stream);
      stream.socket.write(tail);
    }
  }
}

setInterval(tick, tickMs);
process.on('message', () => process.send?.({ openStreams: streams.size }));
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', 16_384, () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
