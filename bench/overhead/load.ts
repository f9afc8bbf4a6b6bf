/**
 * The load client: raw sockets, one process, driven over IPC (LoadCommand in, LoadCount out). Checks the status and
 * length of every answer, so that errors cannot look fast.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import { chatBody, frameBytes, plainAnswer, streamTail } from './protocol.ts';
import type { Job, LoadCommand, LoadCount } from './protocol.ts';

interface Connection {
  readonly socket: Socket;
  readonly reader: AnswerReader;
  sentAtMs: number;
  busy: boolean;
}

const latenciesMax = 200_000;
const paceTickMs = 1;

let job: Job | undefined;
let request = Buffer.alloc(0);
let expectedBytes = 0;
let timer: NodeJS.Timeout | undefined;
let connections = new Set<Connection>();
let idle: Connection[] = [];
let answers = 0;
let opened = 0;
let bodyBytes = 0;
let errors = 0;
let firstError: string | undefined;
let latenciesUs: number[] = [];

function fail(reason: string): void {
  errors += 1;
  firstError ??= reason;
}

function open(port: number, whenDone: (connection: Connection) => void): Connection {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let first = true;
  const reader = new AnswerReader({
    onBody(bytes) {
      bodyBytes += bytes;
      if (first) opened += 1;
      first = false;
    },
    onEnd({ status, bodyBytes: length, closes }) {
      answers += 1;
      if (status !== 200) fail(`status ${status}`);
      else if (length !== expectedBytes) fail(`${length} bytes instead of ${expectedBytes}`);
      if (latenciesUs.length < latenciesMax)
        latenciesUs.push(Math.round((performance.now() - connection.sentAtMs) * 1000));
      connection.busy = false;
      if (closes) socket.destroy();
      else whenDone(connection);
    },
  });
  const connection: Connection = { socket, reader, sentAtMs: 0, busy: false };
  connections.add(connection);
  socket.on('data', (data: Buffer) => {
    try {
      reader.push(data);
    } catch (error) {
      fail(String(error));
      socket.destroy();
    }
  });
  socket.on('error', (error) => {
    if (connections.has(connection) && connection.busy) fail(`socket: ${error.message}`);
    connection.busy = false;
  });
  socket.on('close', () => {
    if (!connections.delete(connection)) return;
    if (connection.busy) fail('the connection closed in the middle of an answer');
    idle = idle.filter((other) => other !== connection);
    // A server may end a connection after an answer; a closed loop goes on with a new one.
    if (job?.kind === 'closed' && errors < 100) send(open(port, whenDone));
  });
  return connection;
}

function send(connection: Connection): void {
  connection.busy = true;
  connection.sentAtMs = performance.now();
  connection.socket.write(request);
}

function start(next: Job): void {
  job = next;
  answers = opened = bodyBytes = errors = 0;
  firstError = undefined;
  latenciesUs = [];
  const stream = next.kind === 'streams' ? { chunks: next.chunks, intervalMs: next.intervalMs } : undefined;
  const body = chatBody(next.kind === 'streams' ? 1024 : next.bodyBytes, stream);
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  request = Buffer.concat([Buffer.from(head), body]);
  expectedBytes = next.kind === 'streams' ? next.chunks * frameBytes + streamTail.length : plainAnswer.length;
  if (next.kind === 'closed') for (let i = 0; i < next.connections; i += 1) send(open(next.port, send));
  if (next.kind === 'paced') startPaced(next.port, next.ratePerS);
  if (next.kind === 'streams') startStreams(next.port, next.streams);
}

/** Open loop: what is due is sent, on an idle connection or a new one, never waiting for an answer. */
function startPaced(port: number, ratePerS: number): void {
  const startedMs = performance.now();
  let sent = 0;
  timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * ratePerS) / 1000);
    for (; sent < due; sent += 1) send(idle.pop() ?? open(port, (connection) => idle.push(connection)));
  }, paceTickMs);
}

/** A few at a time, so that opening them is no burst that the measurement would see. */
function startStreams(port: number, total: number): void {
  let started = 0;
  timer = setInterval(() => {
    for (let i = 0; i < 4 && started < total; i += 1, started += 1) {
      send(open(port, (connection) => connection.socket.destroy()));
    }
    if (started === total) clearInterval(timer);
  }, paceTickMs);
}

function count(withLatencies: boolean): LoadCount {
  return { answers, opened, bodyBytes, errors, firstError, latenciesUs: withLatencies ? latenciesUs : [] };
}

function stop(): LoadCount {
  const result = count(job?.kind === 'paced');
  clearInterval(timer);
  job = undefined;
  idle = [];
  const left = connections;
  // Emptied first: what closes from here on is not an error.
  connections = new Set();
  for (const { socket } of left) socket.destroy();
  return result;
}

process.on('message', (command: LoadCommand) => {
  if (command.do === 'start') start(command.job);
  process.send?.(command.do === 'stop' ? stop() : count(false));
});
process.on('disconnect', () => process.exit(0));
