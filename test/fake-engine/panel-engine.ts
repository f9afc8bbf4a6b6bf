/** An engine that knows its part in an ensemble by the words of the prompt, and numbers what it says. */
import type { ServerResponse } from 'node:http';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedEngine,
  type ScriptedRequest,
} from './scripted-engine.ts';

export type Part = 'answer' | 'critique' | 'final';

/** Short words by which the engine knows its part. */
export const panelPrompts = {
  critique: 'CRITIQUE number {number} of <{question}>: [{answer}]',
  final: 'FINAL from {candidates}',
};

export interface PanelEngine extends ScriptedEngine {
  /** Everything that it was asked for this part, in order. */
  heard(part: Part): readonly ScriptedRequest[];
  /** Answers that have begun and not ended. */
  readonly open: ReadonlySet<ServerResponse>;
}

export interface PanelOptions {
  /** Names of its models. Default: `m`. */
  readonly models?: readonly string[];
  /** Does something else than usual where it returns an answer. `index`: among requests of this part, from 0. */
  readonly instead?: (part: Part, index: number, request: ScriptedRequest) => ScriptedAnswer | undefined;
}

/** Speaks chat completions and nothing else. Each answer costs 10 tokens in and 3 out. */
export async function startPanelEngine({ models = ['m'], instead }: PanelOptions = {}): Promise<PanelEngine> {
  const heard: Record<Part, ScriptedRequest[]> = { answer: [], critique: [], final: [] };
  const open = new Set<ServerResponse>();
  const engine = await startScriptedEngine({
    probes: {
      '/health': { status: 'ok' },
      '/v1/models': { object: 'list', data: models.map((id) => ({ id, object: 'model', owned_by: 'test' })) },
    },
    answer(request) {
      if (request.path !== '/v1/chat/completions') return { status: 404, body: { detail: 'Not Found' } };
      const part = partOf(request);
      const index = heard[part].push(request) - 1;
      const answer = instead?.(part, index, request) ?? say(request, `${part} ${index + 1}`);
      const { write } = answer;
      return write === undefined ? answer : { ...answer, write: (response) => follow(open, response, write) };
    },
  });
  return { ...engine, asked: engine.asked, heard: (part) => heard[part], open };
}

/** An answer with these words, streamed where it was asked for so. */
export function say({ body }: ScriptedRequest, words: string): ScriptedAnswer {
  const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };
  const base = { id: 'x', created: 1, model: 'm' };
  if (body['stream'] !== true) {
    const message = { role: 'assistant', content: words };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return { body: { ...base, object: 'chat.completion', choices, usage } };
  }
  const chunk = (delta: object, finish_reason: string | null) =>
    event({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] });
  const [first = '', ...rest] = words.split(/(?= )/);
  return {
    type: 'text/event-stream',
    body: [
      chunk({ role: 'assistant', content: first }, null),
      ...rest.map((content) => chunk({ content }, null)),
      chunk({}, 'stop'),
      event({ ...base, object: 'chat.completion.chunk', choices: [], usage }),
      'data: [DONE]\n\n',
    ].join(''),
  };
}

/** No answer at all, for as long as the other side waits. */
export const silence: ScriptedAnswer = { write: () => {} };

function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function follow(
  open: Set<ServerResponse>,
  response: ServerResponse,
  write: (response: ServerResponse) => void,
): void {
  open.add(response);
  response.once('close', () => open.delete(response));
  write(response);
}

function partOf({ text }: ScriptedRequest): Part {
  if (text.includes('FINAL from')) return 'final';
  return text.includes('CRITIQUE number') ? 'critique' : 'answer';
}
