/** `/v1/chat/completions`: OpenAI chat, with llama-server's `timings`. */
import type { Piece } from '../answer.ts';
import { fingerprint } from '../options.ts';
import { frame, timings, usage, type AnswerContext, type AnswerFormat, type Choice } from './format.ts';

export function createChatFormat(context: AnswerContext): AnswerFormat {
  const { request } = context;
  const [first] = context.choices;
  const id = `chatcmpl-${context.id}`;

  function chunk(choices: unknown, extra: object = {}): string {
    return frame({
      choices,
      created: context.createdS,
      id,
      model: context.model,
      system_fingerprint: fingerprint,
      object: 'chat.completion.chunk',
      ...extra,
    });
  }

  function delta(choice: Choice, value: object, extra?: object): string {
    return chunk([{ finish_reason: choice.finish ?? null, index: choice.index, delta: value }], extra);
  }

  const role = { role: 'assistant', content: null };
  return {
    progress: (choice) => delta(choice, role, { prompt_progress: promptProgress(choice) }),
    begin: (choice) => delta(choice, role),
    piece: (choice, piece) =>
      delta(
        choice,
        pieceDelta(choice, piece),
        request.timingsPerToken ? { timings: timings(choice.run) } : {},
      ),
    end: (choice) => delta(choice, {}, request.includeUsage ? {} : { timings: timings(choice.run) }),
    close() {
      const last = request.includeUsage
        ? chunk([], { usage: usage(first), timings: timings(first.run) })
        : '';
      return `${last}data: [DONE]\n\n`;
    },
    whole: () => ({
      choices: context.choices.map((choice) => ({
        finish_reason: choice.finish,
        index: choice.index,
        message: message(choice),
      })),
      created: context.createdS,
      model: context.model,
      system_fingerprint: fingerprint,
      object: 'chat.completion',
      usage: usage(first),
      id,
      timings: timings(first.run),
    }),
  };
}

function pieceDelta(choice: Choice, { kind, text }: Piece): object {
  if (kind === 'reasoning') return { reasoning_content: text };
  if (kind === 'text') return { content: text };
  const starts = choice.arguments === text && choice.tool !== undefined;
  if (!starts) return { tool_calls: [{ index: 0, function: { arguments: text } }] };
  const { id, name } = choice.tool;
  return { tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: text } }] };
}

function message({ text, reasoning, tool, arguments: args }: Choice): object {
  return {
    role: 'assistant',
    content: text,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(tool !== undefined && {
      tool_calls: [{ type: 'function', function: { name: tool.name, arguments: args }, id: tool.id }],
    }),
  };
}

function promptProgress({ run, promptTokens }: Choice): object {
  return {
    total: promptTokens,
    cache: run?.cacheN ?? 0,
    processed: run?.promptDone ?? 0,
    time_ms: Math.round(run?.promptMs ?? 0),
  };
}
