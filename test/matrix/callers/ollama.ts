/** Ollama's chat and generate by its own client. */
import {
  type ChatRequest,
  type ChatResponse,
  type GenerateRequest,
  type GenerateResponse,
  type Message,
  Ollama,
  type Tool,
} from 'ollama';
import type { Asked, Call, Fields } from '../scenario.ts';
import { type Asking, type Caller, type Failure, type Heard, logprobText } from './caller.ts';

export const ollamaChat: Caller = {
  title: 'ollama chat',
  route: 'ollama-chat',
  features: new Set(['tools', 'thought', 'images', 'schema', 'stop', 'logprobs']),
  ends: { stop: 'stop', length: 'length', tools: 'stop' },
  hearsCached: false,
  asksForUsage: false,
  namesEffort: false,
  async ask(asking) {
    const { asked, model, onText } = asking;
    const body: ChatRequest = { ...commonOf(asked, model), messages: messagesOf(asked), ...toolsOf(asked) };
    const client = clientOf(asking);
    if (!asking.stream) return hearChat([await client.chat({ ...body, stream: false })]);
    const lines: ChatResponse[] = [];
    for await (const line of await client.chat({ ...body, stream: true })) {
      lines.push(line);
      onText(line.message.content);
    }
    return hearChat(lines);
  },
  read: readError,
};

export const ollamaGenerate: Caller = {
  ...ollamaChat,
  title: 'ollama generate',
  route: 'ollama-generate',
  features: new Set(['thought', 'images', 'schema', 'stop', 'logprobs']),
  async ask(asking) {
    const { asked, model, onText } = asking;
    const { system, image } = asked;
    const body: GenerateRequest = {
      ...commonOf(asked, model),
      prompt: asked.text,
      ...(system !== undefined && { system }),
      ...(image !== undefined && { images: [image] }),
    };
    const client = clientOf(asking);
    if (!asking.stream) return hearGenerated([await client.generate({ ...body, stream: false })]);
    const lines: GenerateResponse[] = [];
    for await (const line of await client.generate({ ...body, stream: true })) {
      lines.push(line);
      onText(line.response ?? '');
    }
    return hearGenerated(lines);
  },
};

/** The client has no signal for a request: it goes to `fetch` directly. */
function clientOf({ url, fetch, signal }: Asking): Ollama {
  return new Ollama({
    host: url,
    fetch: (input: Parameters<typeof fetch>[0], init?: RequestInit) =>
      fetch(input, { ...init, signal: AbortSignal.any([signal, ...(init?.signal ? [init.signal] : [])]) }),
  });
}

function readError(thrown: unknown): Failure {
  const { message, status_code: status } = thrown as { message: string; status_code?: number };
  return { status, message };
}

function commonOf(asked: Asked, model: string) {
  const { schema, stop, maxTokens } = asked;
  const options = {
    ...(stop !== undefined && { stop: [stop] }),
    ...(maxTokens !== undefined && { num_predict: maxTokens }),
  };
  return {
    model,
    options,
    ...(schema && { format: { ...schema } }),
    ...(asked.think === true && { think: true }),
    ...(asked.logprobs === true && { logprobs: true, top_logprobs: 2 }),
  };
}

function messagesOf({ system, text, image, results = [] }: Asked): Message[] {
  const messages: Message[] = [
    { role: 'user', content: text, ...(image !== undefined && { images: [image] }) },
  ];
  if (system !== undefined) messages.unshift({ role: 'system', content: system });
  if (results.length > 0) {
    const calls = results.map(({ call: { id, name, arguments: values } }) => ({
      id,
      function: { name, arguments: { ...values } },
    }));
    messages.push({ role: 'assistant', content: '', tool_calls: calls });
  }
  // The type of the client lags behind the API, which takes `tool_call_id`.
  for (const { call, text: content } of results) {
    messages.push({ role: 'tool', content, tool_name: call.name, tool_call_id: call.id } as Message);
  }
  return messages;
}

function toolsOf({ tools }: Asked) {
  return (
    tools && {
      tools: tools.map((tool): Tool => ({ type: 'function', function: { ...tool } as Tool['function'] })),
    }
  );
}

function hearChat(lines: readonly ChatResponse[]): Heard {
  const messages = lines.map(({ message }) => message);
  return {
    ...hearCommon(lines),
    texts: [messages.map(({ content }) => content).join('')],
    thought: messages.map(({ thinking }) => thinking ?? '').join(''),
    calls: messages
      .flatMap(({ tool_calls: calls }) => calls ?? [])
      .map((call): Call => ({
        id: String((call as unknown as Fields)['id']),
        name: call.function.name,
        arguments: call.function.arguments,
      })),
  };
}

function hearGenerated(lines: readonly GenerateResponse[]): Heard {
  return {
    ...hearCommon(lines),
    texts: [lines.map(({ response }) => response).join('')],
    thought: lines.map(({ thinking }) => thinking ?? '').join(''),
    calls: [],
  };
}

function hearCommon(lines: readonly (ChatResponse | GenerateResponse)[]) {
  const last = lines.at(-1);
  return {
    model: lines[0]?.model,
    end: last?.done_reason,
    usage: last && { input: last.prompt_eval_count, output: last.eval_count },
    logprobs: lines.flatMap(({ logprobs }) => logprobs ?? []).map(logprobText),
  };
}
