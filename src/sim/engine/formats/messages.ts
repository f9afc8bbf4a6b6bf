/** `/v1/messages`: Anthropic's API as llama-server speaks it (all blocks are closed together at the end). */
import type { Piece } from '../answer.ts';
import { namedFrame, type AnswerContext, type AnswerFormat, type Choice } from './format.ts';

export function createMessagesFormat(context: AnswerContext): AnswerFormat {
  const [only] = context.choices;
  const kinds: Piece['kind'][] = [];

  function envelope(choice: Choice, content: readonly unknown[]): object {
    return {
      id: `chatcmpl-${context.id}`,
      type: 'message',
      role: 'assistant',
      content,
      model: context.model,
      stop_reason: stopReason(choice),
      stop_sequence: choice.stoppedBy === '' ? null : choice.stoppedBy,
      usage: {
        cache_read_input_tokens: choice.run?.cacheN ?? 0,
        input_tokens: choice.run?.promptN ?? 0,
        output_tokens: choice.finish === undefined ? 0 : (choice.run?.predictedN ?? 0),
      },
    };
  }

  return {
    begin: (choice) => namedFrame({ type: 'message_start', message: envelope(choice, []) }),
    piece(choice, piece) {
      const known = kinds.indexOf(piece.kind);
      const index = known === -1 ? kinds.push(piece.kind) - 1 : known;
      const start = { type: 'content_block_start', index, content_block: emptyBlock(choice, piece.kind) };
      const delta = namedFrame({ type: 'content_block_delta', index, delta: blockDelta(piece) });
      return known === -1 ? namedFrame(start) + delta : delta;
    },
    end(choice) {
      const signature = { type: 'signature_delta', signature: '' };
      const thought = kinds.indexOf('reasoning');
      const signed =
        thought === -1 ? '' : namedFrame({ type: 'content_block_delta', index: thought, delta: signature });
      const stops = kinds.map((_, index) => namedFrame({ type: 'content_block_stop', index }));
      const { stop_reason, stop_sequence, usage } = envelope(choice, []) as Record<string, unknown>;
      return [
        signed,
        ...stops,
        namedFrame({
          type: 'message_delta',
          delta: { stop_reason, stop_sequence },
          usage: { output_tokens: (usage as Record<string, unknown>)['output_tokens'] },
        }),
      ].join('');
    },
    close: () => namedFrame({ type: 'message_stop' }),
    whole: () => envelope(only, wholeBlocks(only)),
  };
}

function stopReason({ finish }: Choice): string | null {
  if (finish === undefined) return null;
  return { length: 'max_tokens', tool_calls: 'tool_use', stop: 'end_turn' }[finish];
}

function emptyBlock({ tool }: Choice, kind: Piece['kind']): object {
  if (kind === 'reasoning') return { type: 'thinking', thinking: '' };
  if (kind === 'text') return { type: 'text', text: '' };
  return { type: 'tool_use', id: tool?.id, name: tool?.name };
}

function blockDelta({ kind, text }: Piece): object {
  if (kind === 'reasoning') return { type: 'thinking_delta', thinking: text };
  if (kind === 'text') return { type: 'text_delta', text };
  return { type: 'input_json_delta', partial_json: text };
}

function wholeBlocks({ reasoning, text, tool, arguments: args, finish }: Choice): unknown[] {
  const thought = reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }];
  if (tool === undefined) return [...thought, { type: 'text', text }];
  // A call cut by the limit is unfinished JSON.
  const input: unknown = finish === 'tool_calls' ? JSON.parse(args) : {};
  return [...thought, { type: 'tool_use', id: tool.id, name: tool.name, input }];
}
