/** Ollama's own chat and generate. */
import type { Call, Fields, Spoken } from '../scenario.ts';
import { logprobsOf } from './chat-wire.ts';
import { type Answering, type Wire, list, object, pieces, textIn, tokensOf } from './wire.ts';

export const ollamaChatWire: Wire = {
  path: '/api/chat',
  streamType: 'application/x-ndjson',
  features: new Set(['tools', 'thought', 'images', 'schema', 'stop', 'logprobs']),
  tellsCached: false,
  hasCallIds: true,
  isStream: ({ stream }) => stream !== false,
  read(body) {
    const messages = list(body['messages']);
    const of = (wanted: string) => messages.filter(({ role }) => role === wanted);
    return {
      ...readCommon(body),
      system: of('system')
        .map(({ content }) => String(content))
        .join('\n'),
      text: of('user')
        .map(({ content }) => String(content))
        .join('\n'),
      images: of('user')
        .flatMap((message) => list(message['images']))
        .map(String),
      calls: of('assistant').flatMap((message) => list(message['tool_calls']).map(readCall)),
      results: of('tool').map((message) => ({
        id: String(message['tool_call_id']),
        text: String(message['content']),
      })),
      tools: list(body['tools']).map((tool) => {
        const { name, description, parameters } = object(tool['function']);
        return { name, description, parameters };
      }),
    };
  },
  whole: (answering) => finalOf(answering, messageOf(answering.spoken, answering.spoken.texts[0] ?? '')),
  frames: (answering) => [
    ...chatLines(answering),
    line(finalOf({ ...answering, isLine: true }, { message: { role: 'assistant', content: '' } })),
  ],
  beginning: chatLines,
  failure: (_answering, message) => line({ error: message }),
  refusal: (_engine, { message }) => ({ error: message }),
};

export const ollamaGenerateWire: Wire = {
  ...ollamaChatWire,
  path: '/api/generate',
  features: new Set(['thought', 'images', 'schema', 'stop', 'logprobs']),
  read(body) {
    return {
      ...readCommon(body),
      system: textIn(body['system']),
      text: String(body['prompt']),
      images: list(body['images']).map(String),
      calls: [],
      results: [],
      tools: [],
    };
  },
  whole: (answering) => finalOf(answering, generatedOf(answering.spoken, answering.spoken.texts[0] ?? '')),
  frames: (answering) => [
    ...generateLines(answering),
    line(finalOf({ ...answering, isLine: true }, { response: '' })),
  ],
  beginning: generateLines,
};

const line = (fields: Fields): string => `${JSON.stringify(fields)}\n`;
const createdAt = '2026-11-20T10:00:00.123456789Z';

function readCommon(body: Fields) {
  const options = object(body['options']);
  return {
    schema: body['format'],
    stop: options['stop'],
    maxTokens: options['num_predict'],
    choices: options['n'] ?? body['n'],
    logprobs: body['logprobs'] === true && body['top_logprobs'] === 2,
    think: body['think'] !== undefined,
  };
}

function chatLines({ spoken, body }: Answering): string[] {
  const put = (message: Fields, more: Fields = {}) =>
    line({
      model: body['model'],
      created_at: createdAt,
      message: { role: 'assistant', ...message },
      ...more,
      done: false,
    });
  return [
    ...pieces(spoken.thought ?? '').map((thinking) => put({ content: '', thinking })),
    ...wordsOf(spoken, body).map((content) => put({ content }, logprobs(body, content))),
    ...(spoken.calls ?? []).map((call, index) => put({ content: '', tool_calls: [writeCall(call, index)] })),
  ];
}

function generateLines({ spoken, body }: Answering): string[] {
  const put = (fields: Fields) =>
    line({ model: body['model'], created_at: createdAt, ...fields, done: false });
  return [
    ...pieces(spoken.thought ?? '').map((thinking) => put({ response: '', thinking })),
    ...wordsOf(spoken, body).map((response) => put({ response, ...logprobs(body, response) })),
  ];
}

function wordsOf({ texts: [text = ''] }: Spoken, body: Fields): readonly string[] {
  return body['logprobs'] === true ? tokensOf(text) : pieces(text);
}

function logprobs(body: Fields, text: string): Fields {
  return body['logprobs'] === true ? { logprobs: logprobsOf(text)['content'] } : {};
}

function messageOf(spoken: Spoken, content: string): Fields {
  return {
    message: {
      role: 'assistant',
      content,
      ...(spoken.thought !== undefined && { thinking: spoken.thought }),
      ...(spoken.calls && { tool_calls: spoken.calls.map(writeCall) }),
    },
  };
}

function generatedOf(spoken: Spoken, response: string): Fields {
  return { response, ...(spoken.thought !== undefined && { thinking: spoken.thought }) };
}

function finalOf({ spoken, body, isLine = false }: Answering & { isLine?: boolean }, said: Fields): Fields {
  return {
    model: body['model'],
    created_at: createdAt,
    ...said,
    ...(!isLine && logprobs(body, spoken.texts[0] ?? '')),
    done: true,
    done_reason: spoken.end === 'length' ? 'length' : 'stop',
    total_duration: 30_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: spoken.usage.input,
    prompt_eval_duration: 7_000_000,
    eval_count: spoken.usage.output,
    eval_duration: 9_000_000,
  };
}

function writeCall({ id, name, arguments: values }: Call, index: number): Fields {
  return { id, function: { index, name, arguments: values } };
}

function readCall(call: Fields): Call {
  const { name, arguments: values } = object(call['function']);
  return { id: String(call['id']), name: String(name), arguments: object(values) };
}
