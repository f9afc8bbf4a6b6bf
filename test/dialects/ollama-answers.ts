/** Answers of Ollama's API for tests: streams written from events, events read from streams. */
import type { AnswerContext, Dialect } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import { ollamaChat } from '../../src/dialects/ollama/index.ts';

export const arrivedMs = Date.parse('2026-08-21T10:00:00Z');

/** Every look at the clock takes 100 ms. */
export function createContext(): AnswerContext {
  let nowMs = arrivedMs;
  return {
    request: ollamaChat.readRequest({ model: 'm', messages: [] }),
    model: 'm:latest',
    requestId: 'r',
    arrivedMs,
    nowMs: () => (nowMs += 100),
  };
}

export function writeStream(events: readonly AnswerEvent[], dialect: Dialect = ollamaChat): string {
  const writer = dialect.createStreamWriter(createContext());
  return events.map((event) => writer.write(event)).join('');
}

export function readStream(chunks: readonly Buffer[], dialect: Dialect = ollamaChat): AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const reader = dialect.createStreamReader((event) => events.push(event));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return events;
}

export function readText(text: string): AnswerEvent[] {
  return readStream([Buffer.from(text)]);
}

export const started: AnswerEvent = { kind: 'started' };
export const ended: AnswerEvent = { kind: 'ended' };
export const said = (text: string): AnswerEvent => ({ kind: 'text', choice: 0, text });
export const finished = (kind: 'stop' | 'length' | 'toolCalls'): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason: { kind },
});
export const call = (index: number, name: string, ...pieces: readonly string[]): AnswerEvent[] => [
  { kind: 'toolCall', choice: 0, call: index, id: `c${index}`, name },
  ...pieces.map((text) => ({ kind: 'toolArguments', choice: 0, call: index, text }) as const),
];
export const usage: AnswerEvent = { kind: 'usage', usage: { inputTokens: 20, outputTokens: 3 } };
