/** Chat completions as llama.cpp, vLLM, SGLang, LM Studio, Ollama and OpenAI's own service put them. */
import type { EngineName } from '../../../src/domain/engine-names.ts';
import type { Call, Fields, Spoken } from '../scenario.ts';
import { type Answering, type Wire, base64Of, list, object, pieces, sse, textIn, tokensOf } from './wire.ts';

export const chatWire: Wire = {
  path: '/v1/chat/completions',
  streamType: 'text/event-stream',
  features: new Set(['tools', 'thought', 'images', 'schema', 'stop', 'choices', 'logprobs']),
  tellsCached: true,
  hasCallIds: true,
  isStream: ({ stream }) => stream === true,
  read(body) {
    const messages = list(body['messages']);
    const of = (...roles: string[]) => messages.filter(({ role }) => roles.includes(String(role)));
    const user = of('user').map(({ content }) => content);
    const format = object(body['response_format']);
    return {
      system: of('system', 'developer')
        .map(({ content }) => textIn(content))
        .join('\n'),
      text: user.map(textIn).join('\n'),
      images: user
        .flatMap(list)
        .filter(({ type }) => type === 'image_url')
        .map((part) => base64Of(object(part['image_url'])['url'])),
      calls: of('assistant').flatMap((message) => list(message['tool_calls']).map(readCall)),
      results: of('tool').map((message) => ({
        id: String(message['tool_call_id']),
        text: textIn(message['content']),
      })),
      tools: list(body['tools']).map((tool) => {
        const { name, description, parameters } = object(tool['function']);
        return { name, description, parameters };
      }),
      schema: object(format['json_schema'])['schema'] ?? format['schema'],
      stop: body['stop'],
      maxTokens: body['max_tokens'] ?? body['max_completion_tokens'],
      choices: body['n'],
      logprobs: body['logprobs'] === true && body['top_logprobs'] === 2,
      think: body['reasoning_effort'] !== undefined || body['chat_template_kwargs'] !== undefined,
    };
  },
  whole({ engine, spoken, body, id }) {
    return {
      ...headOf(engine, id, body),
      object: 'chat.completion',
      choices: textsOf(spoken, body).map((text, index) => ({
        index,
        message: {
          role: 'assistant',
          content: text,
          ...(spoken.calls && { content: text === '' ? null : text }),
          ...thoughtOf(engine, spoken.thought),
          ...(spoken.calls && { tool_calls: spoken.calls.map((call) => writeCall(engine, call)) }),
        },
        logprobs: body['logprobs'] === true ? logprobsOf(text) : null,
        ...endOf(engine, spoken),
      })),
      usage: usageOf(engine, spoken),
      ...(engine === 'llamacpp' && { timings: timingsOf(spoken) }),
    };
  },
  frames(answering) {
    const { engine, spoken, body, id } = answering;
    const wantsUsage = object(body['stream_options'])['include_usage'] === true;
    const own = engine === 'llamacpp' ? { timings: timingsOf(spoken) } : {};
    const usage = sse({
      ...headOf(engine, id, body),
      object: 'chat.completion.chunk',
      choices: [],
      usage: usageOf(engine, spoken),
      ...own,
    });
    const last = textsOf(spoken, body).map((_text, index) =>
      chunk(answering, { index, delta: {}, ...endOf(engine, spoken) }, wantsUsage ? {} : own),
    );
    // llama.cpp tells it after the end of each choice.
    const ends = engine === 'llamacpp' ? last.map((end) => (wantsUsage ? end + usage : end)) : last;
    const isOpen = wantsUsage && engine !== 'llamacpp';
    return [...deltas(answering), ...ends, ...(isOpen ? [usage] : []), sse('[DONE]')];
  },
  beginning: deltas,
  failure({ engine }, message) {
    const error = { error: errorOf(engine, { status: 500, message, kind: 'broken' }) };
    const isPython = engine === 'vllm' || engine === 'sglang';
    return sse(error, engine === 'lmstudio' ? 'error' : undefined) + (isPython ? sse('[DONE]') : '');
  },
  refusal(engine, refusal) {
    // LM Studio says errors of its models as a bare text.
    if (engine === 'lmstudio') return { error: refusal.message };
    if (engine === 'sglang') return { object: 'error', ...errorOf(engine, refusal) };
    return { error: errorOf(engine, refusal) };
  },
};

function deltas(answering: Answering): string[] {
  const { engine, spoken, body } = answering;
  return textsOf(spoken, body).flatMap((text, index) => {
    const put = (delta: Fields, more: Fields = {}) =>
      chunk(answering, { index, delta, ...more, finish_reason: null });
    const words = body['logprobs'] === true ? tokensOf(text) : pieces(text);
    return [
      put({ role: 'assistant', content: engine === 'llamacpp' ? null : '' }),
      ...pieces(spoken.thought ?? '').map((thought) => put(thoughtOf(engine, thought))),
      ...words.map((content) =>
        put({ content }, body['logprobs'] === true ? { logprobs: logprobsOf(content) } : {}),
      ),
      ...(spoken.calls ?? []).flatMap((call, at) => callDeltas(engine, call, at).map((delta) => put(delta))),
    ];
  });
}

/** Ollama has a call whole; the others its head first, then pieces of its arguments. */
function callDeltas(engine: EngineName, call: Call, index: number): Fields[] {
  const written = writeCall(engine, call);
  if (engine === 'ollama') return [{ tool_calls: [{ ...written, index }] }];
  const { name, arguments: text } = written.function;
  const [first = '', ...rest] = pieces(text);
  return [
    {
      tool_calls: [
        {
          index,
          id: call.id,
          type: 'function',
          function: { name, arguments: engine === 'llamacpp' ? first : '' },
        },
      ],
    },
    ...(engine === 'llamacpp' ? rest : [first, ...rest]).map((piece) => ({
      tool_calls: [{ index, function: { arguments: piece } }],
    })),
  ];
}

function chunk({ engine, id, body }: Answering, choice: Fields, more: Fields = {}): string {
  return sse({ ...headOf(engine, id, body), object: 'chat.completion.chunk', choices: [choice], ...more });
}

export function headOf(engine: EngineName, id: string, { model }: Fields): Fields {
  const fingerprint = { llamacpp: 'b11669-Debian', ollama: 'fp_ollama', lmstudio: model }[engine as string];
  return {
    id: `chatcmpl-${id}`,
    created: 1_795_221_849,
    model,
    ...(fingerprint !== undefined && { system_fingerprint: fingerprint }),
  };
}

/** One text for each choice that was asked for. */
export function textsOf({ texts }: Spoken, { n }: Fields): readonly string[] {
  return texts.slice(0, typeof n === 'number' ? n : 1);
}

function thoughtOf(engine: EngineName, thought: string | undefined): Fields {
  if (thought === undefined || thought === '') {
    return engine === 'vllm' || engine === 'sglang' ? { reasoning_content: null } : {};
  }
  return engine === 'ollama' ? { reasoning: thought } : { reasoning_content: thought };
}

function endOf(engine: EngineName, { end, stoppedAt }: Spoken): Fields {
  return {
    finish_reason: end === 'tools' ? 'tool_calls' : end,
    ...(engine === 'vllm' && { stop_reason: stoppedAt ?? null }),
    ...(engine === 'sglang' && { matched_stop: stoppedAt ?? (end === 'stop' ? 151_645 : null) }),
  };
}

function writeCall(engine: EngineName, { id, name, arguments: values }: Call) {
  // llama.cpp's grammar lets white space into it.
  const text = engine === 'llamacpp' ? JSON.stringify(values, undefined, 1) : JSON.stringify(values);
  return { id, type: 'function', function: { name, arguments: text } };
}

function readCall(call: Fields): Call {
  const { name, arguments: text } = object(call['function']);
  return { id: String(call['id']), name: String(name), arguments: JSON.parse(String(text)) as Fields };
}

/** Ollama's answers do not tell what was cached. */
export function usageOf(engine: EngineName, { usage }: Spoken): Fields {
  const { input, output, cached } = usage;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(engine !== 'ollama' && { prompt_tokens_details: { cached_tokens: cached } }),
  };
}

function timingsOf({ usage: { input, output, cached } }: Spoken): Fields {
  return {
    cache_n: cached,
    prompt_n: input - cached,
    prompt_ms: 7,
    prompt_per_second: 1000,
    predicted_n: output,
    predicted_ms: 9,
    predicted_per_second: 1000,
  };
}

export function logprobsOf(text: string): Fields {
  const one = (token: string, logprob: number) => ({ token, logprob, bytes: [...Buffer.from(token)] });
  const content = tokensOf(text).map((token) => ({
    ...one(token, -0.25),
    top_logprobs: [one(token, -0.25), one('other', -1.5)],
  }));
  return { content };
}

const types = {
  overflow: 'invalid_request_error',
  unauthorized: 'authentication_error',
  rate: 'rate_limit_error',
  broken: 'server_error',
} as const;

export function errorOf(
  engine: EngineName,
  { status, message, kind }: { status: number; message: string; kind: string },
): Fields {
  const type = types[kind as keyof typeof types];
  if (engine === 'llamacpp') {
    const overflow = { type: 'exceed_context_size_error', n_prompt_tokens: 5953, n_ctx: 4096 };
    return { code: status, message, type, ...(kind === 'overflow' && overflow) };
  }
  if (engine === 'vllm' || engine === 'sglang') {
    return {
      message,
      type: status < 500 ? 'BadRequestError' : 'InternalServerError',
      param: null,
      code: status,
    };
  }
  return { message, type, param: null, code: kind === 'overflow' ? 'context_length_exceeded' : null };
}
