/** `/v1/responses`: OpenAI's responses API as llama-server speaks it (no sequence numbers, no indices, no `[DONE]`). */
import type { Piece } from '../answer.ts';
import { namedFrame, timings, type AnswerContext, type AnswerFormat, type Choice } from './format.ts';

export function createResponsesFormat(context: AnswerContext): AnswerFormat {
  const [only] = context.choices;
  const { createdS: created_at, model } = context;
  const id = `resp_${context.id}`;
  const ids = { reasoning: `rs_${context.newId()}`, text: `msg_${context.newId()}`, call: context.newId() };
  /** In the order of their appearance, which is that of the output. */
  const opened: Piece['kind'][] = [];

  function open(kind: Piece['kind']): string {
    if (opened.includes(kind)) return '';
    opened.push(kind);
    const added = namedFrame({ type: 'response.output_item.added', item: emptyItem(kind, only, ids) });
    if (kind !== 'text') return added;
    const part = { type: 'output_text', text: '' };
    return added + namedFrame({ type: 'response.content_part.added', item_id: ids.text, part });
  }

  function endOf(kind: Piece['kind']): string {
    const done = namedFrame({ type: 'response.output_item.done', item: item(kind, only, ids) });
    if (kind !== 'text') return done;
    const shared = { item_id: ids.text };
    const text = namedFrame({ type: 'response.output_text.done', ...shared, text: only.text });
    return text + namedFrame({ type: 'response.content_part.done', ...shared, part: textPart(only) }) + done;
  }

  const started = { id, object: 'response', status: 'in_progress' };
  return {
    begin: () =>
      namedFrame({ type: 'response.created', response: started }) +
      namedFrame({ type: 'response.in_progress', response: started }),
    piece: (_, piece) => open(piece.kind) + namedFrame(delta(piece, ids)),
    end: () => opened.map(endOf).join(''),
    close() {
      const output = opened.map((kind) => item(kind, only, ids));
      const status = 'completed';
      const response = { id, object: 'response', created_at, status, model, output, usage: usage(only) };
      return namedFrame({ type: 'response.completed', response, timings: timings(only.run) });
    },
    whole: () => ({
      completed_at: context.epochS(),
      created_at,
      id,
      model,
      object: 'response',
      output: wholeOutput(only, ids),
      status: 'completed',
      usage: usage(only),
    }),
  };
}

interface ItemIds {
  readonly reasoning: string;
  readonly text: string;
  readonly call: string;
}

function emptyItem(kind: Piece['kind'], { tool }: Choice, ids: ItemIds): object {
  const status = 'in_progress';
  if (kind === 'reasoning') {
    return { id: ids.reasoning, summary: [], type: 'reasoning', content: [], encrypted_content: '', status };
  }
  if (kind === 'text') return { content: [], id: ids.text, role: 'assistant', status, type: 'message' };
  const names = { call_id: `call_${ids.call}`, name: tool?.name };
  return { id: `fc_${ids.call}`, arguments: '', ...names, type: 'function_call', status };
}

function item(kind: Piece['kind'], choice: Choice, ids: ItemIds): object {
  const status = 'completed';
  switch (kind) {
    case 'reasoning': {
      const content = [{ text: choice.reasoning, type: 'reasoning_text' }];
      return { id: ids.reasoning, summary: [], type: 'reasoning', content, encrypted_content: '' };
    }
    case 'text':
      return { type: 'message', status, id: ids.text, content: [textPart(choice)], role: 'assistant' };
    case 'arguments': {
      const names = { call_id: `call_${ids.call}`, name: choice.tool?.name };
      return { id: `fc_${ids.call}`, type: 'function_call', status, arguments: choice.arguments, ...names };
    }
  }
}

/** The same items, but their keys come in another order and thoughts have a status, too. */
function wholeOutput(choice: Choice, ids: ItemIds): object[] {
  const status = 'completed';
  const thought = choice.reasoning === '' ? [] : [{ ...item('reasoning', choice, ids), status }];
  if (choice.tool !== undefined) return [...thought, item('arguments', choice, ids)];
  return [
    ...thought,
    { content: [textPart(choice)], id: ids.text, role: 'assistant', status, type: 'message' },
  ];
}

function textPart({ text }: Choice): object {
  return { type: 'output_text', annotations: [], logprobs: [], text };
}

function delta({ kind, text }: Piece, ids: ItemIds): { type: string; delta: string; item_id: string } {
  if (kind === 'text') return { type: 'response.output_text.delta', item_id: ids.text, delta: text };
  if (kind === 'reasoning') {
    return { type: 'response.reasoning_text.delta', delta: text, item_id: ids.reasoning };
  }
  return { type: 'response.function_call_arguments.delta', delta: text, item_id: `fc_${ids.call}` };
}

function usage(choice: Choice): object {
  const output = choice.run?.predictedN ?? 0;
  return {
    input_tokens: choice.promptTokens,
    output_tokens: output,
    total_tokens: choice.promptTokens + output,
    input_tokens_details: { cached_tokens: choice.run?.cacheN ?? 0 },
  };
}
