/** Runs readers and writers of answers in tests: bytes to events, events to text. */
import type { AnswerContext, Dialect } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { ChatRequest, JsonObject, ModelRequest } from '../../src/dialects/ir/request.ts';
import type { RepairName } from '../../src/dialects/repairs.ts';

export interface ReadAnswer {
  readonly events: readonly AnswerEvent[];
  readonly repairs: readonly RepairName[];
}

/** What a dialect reads from an engine's stream, in these pieces. */
export function readStream(dialect: Dialect, pieces: readonly (Buffer | string)[]): ReadAnswer {
  const events: AnswerEvent[] = [];
  const repairs: RepairName[] = [];
  const reader = dialect.createStreamReader(
    (event) => events.push(event),
    (name) => repairs.push(name),
  );
  for (const piece of pieces) reader.push(Buffer.from(piece));
  reader.end();
  return { events, repairs };
}

/** What a dialect reads from an engine's whole answer. */
export function readWhole(dialect: Dialect, body: JsonObject): ReadAnswer {
  const events: AnswerEvent[] = [];
  const repairs: RepairName[] = [];
  dialect.readAnswer(
    body,
    (event) => events.push(event),
    (name) => repairs.push(name),
  );
  return { events, repairs };
}

/** What a client of the dialect gets for the events. */
export function writeStream(
  dialect: Dialect,
  events: readonly AnswerEvent[],
  context: AnswerContext = answerContext(),
): string {
  const writer = dialect.createStreamWriter(context);
  return events.map((event) => writer.write(event)).join('');
}

export const chatRequest: ChatRequest = {
  kind: 'chat',
  dialect: 'openai-chat',
  model: 'm',
  stream: true,
  usageInStream: false,
  messages: [],
  sampling: {},
  own: {},
  extra: {},
};

/** Of request `req1`, at a fixed time, for a client that called the model `client-model`. */
export function answerContext(request: Partial<ModelRequest> = {}): AnswerContext {
  return {
    request: { ...chatRequest, ...request } as ModelRequest,
    model: 'client-model',
    requestId: 'req1',
    arrivedMs: 1_800_000_000_000,
    nowMs: () => 1_800_000_001_500,
  };
}

/** The frames of an engine's stream of server-sent events. */
export function sse(...frames: readonly (JsonObject | string)[]): string {
  return frames
    .map((frame) => `data: ${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n\n`)
    .join('');
}
