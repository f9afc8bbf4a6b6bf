/** Reads the body of a generating request into what the simulation needs, with llama-server's own complaints. */
import type { ToolOffer } from './answer.ts';
import { EngineError } from './engine-error.ts';
import { countTokens } from './tokens.ts';

export type Body = Readonly<Record<string, unknown>>;

export interface GenerationRequest {
  readonly prompts: readonly string[];
  /** Undefined = until the turn ends or the slot is full. */
  readonly tokensMax: number | undefined;
  readonly stops: readonly string[];
  readonly seed: number | undefined;
  readonly choices: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly timingsPerToken: boolean;
  readonly returnProgress: boolean;
  readonly endless: boolean;
  readonly usesCache: boolean;
  readonly slotWanted: number | undefined;
  readonly tools: readonly ToolOffer[];
  readonly schema: unknown;
  readonly mayThink: boolean;
}

export function parseBody(bytes: Buffer): Body {
  const text = bytes.toString('utf8');
  if (text.trim() === '') {
    throw new EngineError(
      400,
      '[json.exception.parse_error.101] parse error at line 1, column 1: attempting to parse an empty input; check that your input string or stream contains the expected JSON',
    );
  }
  try {
    return record(JSON.parse(text)) ?? {};
  } catch {
    throw new EngineError(
      400,
      '[json.exception.parse_error.101] parse error at line 1, column 1: syntax error while parsing value - invalid literal',
    );
  }
}

/** Fields that all generating routes read alike. */
export function parseGeneration(body: Body, prompts: readonly string[], slots: number): GenerationRequest {
  for (const name of ['temperature', 'top_p', 'max_tokens', 'seed', 'n']) requireNumber(body, name);
  const choices = number(body['n']) ?? 1;
  if (choices < 1 || choices > slots) {
    throw new EngineError(400, `Field 'n': Value must be between 1 <= value <= ${slots}, but got ${choices}`);
  }
  const limit = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict']
    .map((name) => number(body[name]))
    .find((value) => value !== undefined);
  return {
    prompts,
    // llama-server generates one token even when asked for none.
    tokensMax: limit === undefined || limit < 0 ? undefined : Math.max(1, limit),
    stops: stopStrings(body),
    seed: number(body['seed']),
    choices,
    stream: body['stream'] === true,
    includeUsage: record(body['stream_options'])?.['include_usage'] === true,
    timingsPerToken: body['timings_per_token'] === true,
    returnProgress: body['return_progress'] === true,
    endless: body['ignore_eos'] === true,
    usesCache: body['cache_prompt'] !== false,
    slotWanted: number(body['id_slot']),
    tools: offeredTools(body),
    schema: answerSchema(body),
    mayThink:
      record(body['chat_template_kwargs'])?.['enable_thinking'] !== false &&
      body['reasoning_effort'] !== 'none',
  };
}

/** What a chat template makes of the messages: the text that prefixes are compared on. */
export function renderChat(body: Body): string {
  const messages = body['messages'];
  if (!Array.isArray(messages)) throw new EngineError(400, "'messages' is required");
  const tools = Array.isArray(body['tools'])
    ? `<|im_start|>system\n${JSON.stringify(body['tools'])}<|im_end|>\n`
    : '';
  const turns = messages.map((message) => {
    const { role, content, tool_calls: calls } = record(message) ?? {};
    const called = calls === undefined ? '' : JSON.stringify(calls);
    return `<|im_start|>${String(role)}\n${contentText(content)}${called}<|im_end|>\n`;
  });
  const system =
    body['system'] === undefined ? '' : `<|im_start|>system\n${contentText(body['system'])}<|im_end|>\n`;
  return `${tools}${system}${turns.join('')}<|im_start|>assistant\n`;
}

/** Chat messages out of the `input` of a responses request. */
export function responsesToChat(body: Body): Body {
  const input = body['input'];
  if (input === undefined) throw new EngineError(400, "'input' is required");
  if (body['previous_response_id'] !== undefined) {
    throw new EngineError(400, "llama.cpp does not support 'previous_response_id'.");
  }
  const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  return { ...body, messages, system: body['instructions'] };
}

export function requireContext(prompt: string, contextTokens: number): void {
  const tokens = countTokens(prompt);
  if (tokens < contextTokens) return;
  throw new EngineError(
    400,
    `request (${tokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`,
    { type: 'exceed_context_size_error', extra: { n_prompt_tokens: tokens, n_ctx: contextTokens } },
  );
}

export function record(value: unknown): Body | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => {
      const { type, text, content: inner } = record(part) ?? {};
      if (type === 'image_url' || type === 'input_image' || type === 'image') {
        throw new EngineError(
          500,
          'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
        );
      }
      return typeof text === 'string' ? text : contentText(inner);
    })
    .join('');
}

function requireNumber(body: Body, name: string): void {
  const value = body[name];
  if (value === undefined || value === null || typeof value === 'number') return;
  const type = Array.isArray(value) ? 'array' : typeof value;
  throw new EngineError(
    400,
    `Field '${name}': [json.exception.type_error.302] type must be number, but is ${type}`,
  );
}

function stopStrings(body: Body): readonly string[] {
  const stop = body['stop'] ?? body['stop_sequences'];
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  return list.filter((each): each is string => typeof each === 'string' && each !== '');
}

/** Tools are called once: after a tool's result the model answers in words. */
function offeredTools(body: Body): readonly ToolOffer[] {
  const { messages, tools } = body;
  if (!Array.isArray(tools) || body['tool_choice'] === 'none') return [];
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  const { role, content } = record(last) ?? {};
  const answersTool =
    Array.isArray(content) && content.some((part) => record(part)?.['type'] === 'tool_result');
  if (role !== 'user' || answersTool) return [];
  return tools.flatMap((tool) => {
    const definition = record(record(tool)?.['function']) ?? record(tool);
    const name = definition?.['name'];
    if (typeof name !== 'string') return [];
    return [{ name, parameters: definition?.['parameters'] ?? definition?.['input_schema'] }];
  });
}

function answerSchema(body: Body): unknown {
  const format = record(body['response_format']) ?? record(record(body['text'])?.['format']);
  if (format === undefined) return body['json_schema'];
  switch (format['type']) {
    case undefined:
    case 'text':
      return body['json_schema'];
    case 'json_object':
      return format['schema'] ?? { type: 'object', properties: { answer: { type: 'string' } } };
    case 'json_schema':
      return record(format['json_schema'])?.['schema'] ?? format['schema'];
    default:
      throw new EngineError(
        400,
        `response_format type must be one of "text" or "json_object", but got: ${String(format['type'])}`,
      );
  }
}
