/** Text completions as llama.cpp, vLLM, SGLang, LM Studio and Ollama put them. */
import type { EngineName } from '../../../src/domain/engine-names.ts';
import type { Fields } from '../scenario.ts';
import { chatWire, headOf, textsOf, usageOf } from './chat-wire.ts';
import { type Answering, type Wire, object, pieces, sse, tokensOf } from './wire.ts';

export const completionsWire: Wire = {
  ...chatWire,
  path: '/v1/completions',
  features: new Set(['stop', 'choices', 'logprobs']),
  read(body) {
    return {
      system: '',
      text: String(body['prompt']),
      images: [],
      calls: [],
      results: [],
      tools: [],
      schema: undefined,
      stop: body['stop'],
      maxTokens: body['max_tokens'],
      choices: body['n'],
      logprobs: body['logprobs'] === 2,
      think: false,
    };
  },
  whole({ engine, spoken, body, id }) {
    return {
      ...headOf(engine, id, body),
      object: 'text_completion',
      choices: textsOf(spoken, body).map((text, index) => ({
        index,
        text,
        logprobs: body['logprobs'] === 2 ? logprobsOf(text) : null,
        finish_reason: spoken.end,
      })),
      usage: usageOf(engine, spoken),
    };
  },
  frames(answering) {
    const { engine, spoken, body, id } = answering;
    const wantsUsage = object(body['stream_options'])['include_usage'] === true;
    const head = { ...headOf(engine, id, body), object: 'text_completion' };
    // llama.cpp tells it in the last event of each choice.
    const told = engine === 'llamacpp' ? { usage: usageOf(engine, spoken) } : {};
    const last = textsOf(spoken, body).map((_text, index) =>
      sse({
        ...head,
        choices: [{ index, text: '', logprobs: null, finish_reason: spoken.end }],
        ...(wantsUsage && told),
      }),
    );
    const usage = sse({ ...head, choices: [], usage: usageOf(engine, spoken) });
    const isOpen = wantsUsage && engine !== 'llamacpp';
    return [...texts(answering), ...last, ...(isOpen ? [usage] : []), sse('[DONE]')];
  },
  beginning: texts,
};

function texts({ engine, spoken, body, id }: Answering): string[] {
  const wantsLogprobs = body['logprobs'] === 2;
  return textsOf(spoken, body).flatMap((whole, index) =>
    (wantsLogprobs ? tokensOf(whole) : pieces(whole)).map((text) =>
      sse({
        ...headOf(engine satisfies EngineName, id, body),
        object: 'text_completion',
        choices: [{ index, text, logprobs: wantsLogprobs ? logprobsOf(text) : null, finish_reason: null }],
      }),
    ),
  );
}

function logprobsOf(text: string): Fields {
  const tokens = tokensOf(text);
  return {
    tokens,
    token_logprobs: tokens.map(() => -0.25),
    top_logprobs: tokens.map((token) => ({ [token]: -0.25, other: -1.5 })),
    text_offset: tokens.map((_token, index) => tokens.slice(0, index).join('').length),
  };
}
