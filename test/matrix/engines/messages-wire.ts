/** Anthropic's Messages API as its own service puts it. */
import type { Call, Fields } from '../scenario.ts';
import { type Answering, type Wire, list, object, pieces, sse, textIn } from './wire.ts';

export const messagesWire: Wire = {
  path: '/v1/messages',
  streamType: 'text/event-stream',
  features: new Set(['tools', 'thought', 'images', 'schema', 'stop']),
  tellsCached: true,
  hasCallIds: true,
  isStream: ({ stream }) => stream === true,
  read(body) {
    const messages = list(body['messages']);
    const blocks = (role: string, type: string) =>
      messages
        .filter((message) => message['role'] === role)
        .flatMap(({ content }) =>
          typeof content === 'string' ? [{ type: 'text', text: content }] : list(content),
        )
        .filter((block) => block['type'] === type);
    return {
      system: textIn(body['system']),
      text: textIn(blocks('user', 'text')),
      images: blocks('user', 'image').map((block) => String(object(block['source'])['data'])),
      calls: blocks('assistant', 'tool_use').map((block): Call => ({
        id: String(block['id']),
        name: String(block['name']),
        arguments: object(block['input']),
      })),
      results: blocks('user', 'tool_result').map((block) => ({
        id: String(block['tool_use_id']),
        text: textIn(block['content']),
      })),
      tools: list(body['tools']).map(({ name, description, input_schema }) => ({
        name,
        description,
        parameters: input_schema,
      })),
      schema: object(object(body['output_config'])['format'])['schema'],
      stop: body['stop_sequences'],
      maxTokens: body['max_tokens'],
      choices: body['n'],
      logprobs: body['logprobs'] !== undefined,
      think: body['thinking'] !== undefined || object(body['output_config'])['effort'] !== undefined,
    };
  },
  whole(answering) {
    const { spoken } = answering;
    return {
      ...messageOf(answering),
      content: blocksOf(answering),
      ...stopOf(answering),
      usage: usageOf(spoken.usage),
    };
  },
  frames(answering) {
    const { spoken } = answering;
    return [
      ...begun(answering),
      ...blocksOf(answering).flatMap((block, index) => [
        ...opened(block, index),
        event('content_block_stop', { index }),
      ]),
      event('message_delta', { delta: stopOf(answering), usage: { output_tokens: spoken.usage.output } }),
      event('message_stop', {}),
    ];
  },
  beginning(answering) {
    const [block = {}] = blocksOf(answering);
    return [...begun(answering), ...opened(block, 0)];
  },
  failure: (_answering, message) => event('error', { error: { type: 'api_error', message } }),
  refusal: (_engine, { message, kind }) => ({ type: 'error', error: { type: types[kind], message } }),
};

const types: Readonly<Record<string, string>> = {
  overflow: 'invalid_request_error',
  unauthorized: 'authentication_error',
  rate: 'rate_limit_error',
  broken: 'api_error',
};

function event(type: string, fields: Fields): string {
  return sse({ type, ...fields }, type);
}

function messageOf({ id, body }: Answering): Fields {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model: body['model'] };
}

function begun(answering: Answering): string[] {
  const usage = { ...usageOf(answering.spoken.usage), output_tokens: 1 };
  const message = { ...messageOf(answering), content: [], stop_reason: null, stop_sequence: null, usage };
  return [event('message_start', { message }), event('ping', {})];
}

function opened(block: Fields, index: number): string[] {
  const delta = (fields: Fields) => event('content_block_delta', { index, delta: fields });
  if (block['type'] === 'tool_use') {
    return [
      event('content_block_start', { index, content_block: { ...block, input: {} } }),
      ...['', ...pieces(JSON.stringify(block['input']))].map((partial_json) =>
        delta({ type: 'input_json_delta', partial_json }),
      ),
    ];
  }
  if (block['type'] === 'thinking') {
    return [
      event('content_block_start', {
        index,
        content_block: { type: 'thinking', thinking: '', signature: '' },
      }),
      ...pieces(String(block['thinking'])).map((thinking) => delta({ type: 'thinking_delta', thinking })),
      delta({ type: 'signature_delta', signature: block['signature'] }),
    ];
  }
  return [
    event('content_block_start', { index, content_block: { type: 'text', text: '' } }),
    ...pieces(String(block['text'])).map((text) => delta({ type: 'text_delta', text })),
  ];
}

function blocksOf({ spoken }: Answering): Fields[] {
  const [text = ''] = spoken.texts;
  return [
    ...(spoken.thought === undefined
      ? []
      : [{ type: 'thinking', thinking: spoken.thought, signature: 'c2lnbmVk' }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...(spoken.calls ?? []).map(({ id, name, arguments: input }) => ({ type: 'tool_use', id, name, input })),
  ];
}

/** It tells the text that it stopped at, if the client named one. */
function stopOf({ spoken, body }: Answering): Fields {
  const hit = spoken.stoppedAt !== undefined && body['stop_sequences'] !== undefined;
  const reasons = { stop: hit ? 'stop_sequence' : 'end_turn', length: 'max_tokens', tools: 'tool_use' };
  return { stop_reason: reasons[spoken.end], stop_sequence: hit ? spoken.stoppedAt : null };
}

function usageOf({ input, output, cached }: { input: number; output: number; cached: number }): Fields {
  return {
    input_tokens: input - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: output,
  };
}
