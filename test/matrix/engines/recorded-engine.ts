/**
 * A server that plays one engine of the matrix: answers its probes, finds the cell of each request by the mark in its
 * text, notes what arrived, and says what the scenario of that cell has for this turn.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, startFixture } from '../../contract/engine-fixtures.ts';
import {
  type Fault,
  type Fields,
  type Scenario,
  type Turn,
  isFault,
  midStreamMessage,
  refusals,
  retryAfterS,
} from '../scenario.ts';
import type { Subject } from './subjects.ts';
import type { Answering, Arrived, Wire } from './wire.ts';

export interface Cell {
  readonly scenario: Scenario;
  /** One for each request. */
  readonly arrived: Arrived[];
  /** A request was there whose client has left before its answer was complete. */
  left: boolean;
}

export interface RecordedEngine {
  readonly url: string;
  /** Requests whose text has the mark belong to it. */
  open(mark: string, scenario: Scenario): Cell;
  close(): Promise<void>;
}

const markPattern = /cell-\d+:/;

export async function startRecordedEngine(subject: Subject): Promise<RecordedEngine> {
  const cells = new Map<string, Cell>();
  const wires = Object.values(subject.wires);
  const routes = Object.fromEntries(
    wires.map((wire): [string, Answer] => [
      wire.path,
      (response, request) => {
        void answer(response, request, wire);
      },
    ]),
  );
  const otherwise = subject.kind === 'lmstudio' ? unexpectedEndpoint : subject.probes.otherwise;
  const server = await startFixture({
    ...subject.probes,
    otherwise,
    routes: { ...subject.probes.routes, ...routes },
  });

  async function answer(response: ServerResponse, request: IncomingMessage, wire: Wire): Promise<void> {
    const text = await textOf(request);
    const body = JSON.parse(text) as Fields;
    const cell = cells.get(markPattern.exec(text)?.[0] ?? '');
    const turn = cell?.scenario.turns[cell.arrived.length];
    if (cell === undefined || turn === undefined) {
      response.writeHead(418, { 'content-type': 'text/plain' }).end('nobody was to ask this');
      return;
    }
    const { model } = body;
    const id = `${text.length}${cell.arrived.length}`;
    cell.arrived.push({ path: wire.path, model, stream: wire.isStream(body), ...wire.read(body) });
    response.on('close', () => (cell.left ||= !response.writableFinished));
    await speak(response, { turn, wire, body, id, subject });
  }

  return {
    url: server.url.href,
    open(mark, scenario) {
      const cell: Cell = { scenario, arrived: [], left: false };
      cells.set(mark, cell);
      return cell;
    },
    close: () => server.close(),
  };
}

/** LM Studio says 200 to paths that it does not have. */
const unexpectedEndpoint: Answer = (response, request) => {
  const error = `Unexpected endpoint or method. (${request.method ?? ''} ${request.url ?? ''})`;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify({ error }));
};

interface Speaking {
  readonly turn: Turn;
  readonly wire: Wire;
  readonly body: Fields;
  readonly id: string;
  readonly subject: Subject;
}

async function speak(response: ServerResponse, { turn, wire, body, id, subject }: Speaking): Promise<void> {
  const { answer } = turn;
  const engine = subject.kind;
  const isStream = wire.isStream(body);
  if (!isFault(answer)) {
    const answering: Answering = { engine, spoken: answer, body, id };
    if (isStream) await stream(response, wire, wire.frames(answering));
    else json(response, 200, wire.whole(answering));
    if (isStream) response.end();
    return;
  }
  if (answer.kind === 'refuse') {
    const { status, message } = refusals[answer.refusal];
    if (status === 429) response.setHeader('retry-after', String(retryAfterS));
    json(response, status, wire.refusal(engine, { status, message, kind: answer.refusal }));
    return;
  }
  await fail(response, answer, {
    wire,
    isStream,
    answering: { engine, spoken: partOf(answer.after), body, id },
  });
}

function partOf(text: string) {
  return { texts: [text], end: 'stop', usage: { input: 21, output: 1, cached: 0 } } as const;
}

async function fail(
  response: ServerResponse,
  { kind }: Exclude<Fault, { kind: 'refuse' }>,
  { wire, isStream, answering }: { wire: Wire; isStream: boolean; answering: Answering },
): Promise<void> {
  if (isStream) await stream(response, wire, wire.beginning(answering));
  if (kind === 'cut' && !isStream) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 9999 });
    await written(response, JSON.stringify(wire.whole(answering)));
  }
  if (kind === 'cut') response.destroy();
  if (kind !== 'error') return;
  const refusal = { status: 500, message: midStreamMessage, kind: 'broken' };
  if (isStream) response.end(wire.failure(answering, midStreamMessage));
  else json(response, 500, wire.refusal(answering.engine, refusal));
}

/** Frame by frame, cut at places where neither frames nor characters end. */
async function stream(
  response: ServerResponse,
  { streamType }: Wire,
  frames: readonly string[],
): Promise<void> {
  response.writeHead(200, { 'content-type': streamType });
  const bytes = Buffer.from(frames.join(''));
  const step = Math.max(7, Math.ceil(bytes.length / 9));
  for (let start = 0; start < bytes.length; start += step)
    await written(response, bytes.subarray(start, start + step));
}

function written(response: ServerResponse, piece: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    // Each piece by itself, in its own turn of the loop.
    else response.write(piece, () => setImmediate(resolve));
  });
}

function json(response: ServerResponse, status: number, body: Fields): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
