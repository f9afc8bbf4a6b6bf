/** Chat completions by the official `openai` client. */
import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { Asked, Call, Fields } from '../scenario.ts';
import { type Asking, type Caller, type Failure, type Heard, logprobText } from './caller.ts';

export const openaiChat: Caller = {
  title: 'openai chat',
  route: 'chat-completions',
  features: new Set(['tools', 'thought', 'images', 'schema', 'stop', 'choices', 'logprobs']),
  ends: { stop: 'stop', length: 'length', tools: 'tool_calls' },
  hearsCached: true,
  asksForUsage: true,
  namesEffort: true,
  async ask(asking) {
    const { asked, model, signal } = asking;
    const body = bodyOf(asked, model);
    const { completions } = clientOf(asking).chat;
    if (!asking.stream) return hear(await completions.create(body, { signal }));
    const options = asked.usage === true ? { stream_options: { include_usage: true } } : {};
    const stream = completions.stream({ ...body, ...options, stream: true }, { signal });
    stream.on('content', asking.onText);
    let thought = '';
    stream.on('chunk', ({ choices }) => {
      for (const { delta } of choices) thought += thoughtOf(delta);
    });
    const heard = hear(await stream.finalChatCompletion());
    return { ...heard, thought };
  },
  read: readOpenAIError,
};

export function clientOf({ url, fetch }: Asking): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, fetch });
}

export function readOpenAIError(thrown: unknown): Failure {
  if (thrown instanceof OpenAI.APIError)
    return { status: thrown.status as number | undefined, message: thrown.message };
  return { status: undefined, message: String(thrown) };
}

function bodyOf(asked: Asked, model: string): ChatCompletionCreateParamsNonStreaming {
  const { image, schema, results } = asked;
  const messages: ChatCompletionMessageParam[] = [];
  if (asked.system !== undefined) messages.push({ role: 'system', content: asked.system });
  messages.push({
    role: 'user',
    content:
      image === undefined
        ? asked.text
        : [
            { type: 'text', text: asked.text },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
          ],
  });
  if (results !== undefined) {
    messages.push({
      role: 'assistant',
      content: null,
      tool_calls: results.map(({ call }) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: JSON.stringify(call.arguments) },
      })),
    });
    for (const { call, text } of results)
      messages.push({ role: 'tool', tool_call_id: call.id, content: text });
  }
  return {
    model,
    messages,
    ...(asked.tools && {
      tools: asked.tools.map((tool) => ({ type: 'function', function: { ...tool } })),
    }),
    ...(schema && {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { ...schema }, strict: true },
      },
    }),
    ...(asked.stop !== undefined && { stop: [asked.stop] }),
    ...(asked.maxTokens !== undefined && { max_tokens: asked.maxTokens }),
    ...(asked.choices !== undefined && { n: asked.choices }),
    ...(asked.logprobs === true && { logprobs: true, top_logprobs: 2 }),
    ...(asked.think === true && { reasoning_effort: 'low' }),
  };
}

function hear({ model, choices, usage }: ChatCompletion): Heard {
  const [first] = choices;
  const message = first?.message;
  return {
    model,
    texts: choices.map((choice) => choice.message.content ?? ''),
    thought: thoughtOf(message),
    calls: (message?.tool_calls ?? []).flatMap((call): Call[] =>
      call.type === 'function'
        ? [
            {
              id: call.id,
              name: call.function.name,
              arguments: JSON.parse(call.function.arguments) as Fields,
            },
          ]
        : [],
    ),
    end: first?.finish_reason,
    usage: usage && {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    },
    logprobs: (first?.logprobs?.content ?? []).map(logprobText),
  };
}

/** The name that most engines agree on, and the one that Ollama and newer vLLM have. */
function thoughtOf(message: object | undefined): string {
  const fields = (message ?? {}) as Fields;
  const thought = fields['reasoning_content'] ?? fields['reasoning'];
  return typeof thought === 'string' ? thought : '';
}
