/** OpenAI's Responses API as its own service puts it. */
import type { Call, Fields } from '../scenario.ts';
import { logprobsOf } from './chat-wire.ts';
import { type Answering, type Wire, base64Of, list, object, pieces, sse, textIn, tokensOf } from './wire.ts';

export const responsesWire: Wire = {
  path: '/v1/responses',
  streamType: 'text/event-stream',
  features: new Set(['tools', 'thought', 'images', 'schema', 'logprobs']),
  tellsCached: true,
  hasCallIds: true,
  isStream: ({ stream }) => stream === true,
  read(body) {
    const { input } = body;
    const items = typeof input === 'string' ? [{ role: 'user', content: input } as Fields] : list(input);
    const said = (...roles: string[]) =>
      items.filter(({ role }) => roles.includes(String(role))).map(({ content }) => content);
    const instructions = body['instructions'] ?? [];
    return {
      system: [instructions, ...said('system', 'developer')].map(textIn).filter(Boolean).join('\n'),
      text: said('user').map(textIn).join('\n'),
      images: said('user')
        .flatMap(list)
        .filter(({ type }) => type === 'input_image')
        .map((part) => base64Of(part['image_url'])),
      calls: items.filter(({ type }) => type === 'function_call').map(readCall),
      results: items
        .filter(({ type }) => type === 'function_call_output')
        .map((item) => ({ id: String(item['call_id']), text: textIn(item['output']) })),
      tools: list(body['tools']).map(({ name, description, parameters }) => ({
        name,
        description,
        parameters,
      })),
      schema: object(object(body['text'])['format'])['schema'],
      stop: body['stop'],
      maxTokens: body['max_output_tokens'],
      choices: body['n'],
      logprobs:
        body['top_logprobs'] === 2 && list(body['include']).includes('message.output_text.logprobs' as never),
      think: body['reasoning'] !== undefined,
    };
  },
  whole: (answering) => responseOf(answering, itemsOf(answering)),
  frames(answering) {
    const event = numbered();
    const isCut = answering.spoken.end === 'length';
    const last = isCut ? 'response.incomplete' : 'response.completed';
    return [
      ...begin(answering, event),
      ...itemsOf(answering).flatMap((item, at) => itemEvents(item, at, event)),
      event(last, { response: responseOf(answering, itemsOf(answering)) }),
    ];
  },
  beginning: (answering) => begun(answering, numbered()),
  failure(answering, message) {
    const response = {
      ...responseOf(answering, []),
      status: 'failed',
      error: { code: 'server_error', message },
    };
    return numbered(begun(answering, numbered()).length)('response.failed', { response });
  },
  refusal: (_engine, { status, message, kind }) => ({
    error: {
      message,
      type: status < 500 ? 'invalid_request_error' : 'server_error',
      param: null,
      code: kind === 'overflow' ? 'context_length_exceeded' : null,
    },
  }),
};

type Event = (type: string, fields: Fields) => string;

function numbered(first = 0): Event {
  let number = first;
  return (type, fields) => sse({ type, sequence_number: number++, ...fields }, type);
}

function begin(answering: Answering, event: Event): string[] {
  const response = {
    ...responseOf(answering, []),
    status: 'in_progress',
    usage: null,
    incomplete_details: null,
  };
  return [event('response.created', { response }), event('response.in_progress', { response })];
}

/** Up to the last delta of the first item. */
function begun(answering: Answering, event: Event): string[] {
  const [item = {}] = itemsOf(answering);
  return [...begin(answering, event), ...itemEvents(item, 0, event).slice(0, -3)];
}

function itemsOf({ spoken, body, id }: Answering): Fields[] {
  const [text = ''] = spoken.texts;
  const logprobs = body['top_logprobs'] === 2 ? list(logprobsOf(text)['content']) : [];
  const content = [{ type: 'output_text', annotations: [], logprobs, text }];
  return [
    ...(spoken.thought === undefined
      ? []
      : [{ id: `rs_${id}`, type: 'reasoning', summary: [{ type: 'summary_text', text: spoken.thought }] }]),
    ...(text === ''
      ? []
      : [{ id: `msg_${id}`, type: 'message', role: 'assistant', status: 'completed', content }]),
    ...(spoken.calls ?? []).map((call) => ({
      id: `fc_${call.id}`,
      type: 'function_call',
      status: 'completed',
      call_id: call.id,
      name: call.name,
      arguments: JSON.stringify(call.arguments),
    })),
  ];
}

function itemEvents(item: Fields, output_index: number, event: Event): string[] {
  const item_id = item['id'];
  const at = { item_id, output_index };
  const done = event.bind(undefined, 'response.output_item.done', { output_index, item });
  if (item['type'] === 'function_call') {
    const text = String(item['arguments']);
    return [
      event('response.output_item.added', {
        output_index,
        item: { ...item, status: 'in_progress', arguments: '' },
      }),
      ...pieces(text).map((delta) => event('response.function_call_arguments.delta', { ...at, delta })),
      event('response.function_call_arguments.done', { ...at, arguments: text, name: item['name'] }),
      done(),
    ];
  }
  const isThought = item['type'] === 'reasoning';
  const [part = {}] = list(item[isThought ? 'summary' : 'content']);
  const text = String(part['text']);
  const name = isThought ? 'response.reasoning_summary' : 'response.output';
  const place = { ...at, [isThought ? 'summary_index' : 'content_index']: 0 };
  const partEvent = isThought ? 'response.reasoning_summary_part' : 'response.content_part';
  const all = list(part['logprobs']);
  const words = all.length === 0 ? pieces(text) : tokensOf(text);
  const more = (index?: number) =>
    isThought ? {} : { logprobs: index === undefined ? all : all.slice(index, index + 1) };
  return [
    event('response.output_item.added', {
      output_index,
      item: { ...item, ...(isThought ? { summary: [] } : { status: 'in_progress', content: [] }) },
    }),
    event(`${partEvent}.added`, {
      ...place,
      part: { ...part, text: '', ...(isThought ? {} : { logprobs: [] }) },
    }),
    ...words.map((delta, index) => event(`${name}_text.delta`, { ...place, delta, ...more(index) })),
    event(`${name}_text.done`, { ...place, text, ...more() }),
    event(`${partEvent}.done`, { ...place, part }),
    done(),
  ];
}

function responseOf({ spoken, body, id }: Answering, output: readonly Fields[]): Fields {
  const { input, output: tokens, cached } = spoken.usage;
  const isCut = spoken.end === 'length';
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: 1_795_221_849,
    status: isCut ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    instructions: body['instructions'] ?? null,
    model: body['model'],
    output,
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: body['tools'] ?? [],
    text: { format: { type: 'text' } },
    metadata: {},
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + tokens,
    },
  };
}

function readCall(item: Fields): Call {
  return {
    id: String(item['call_id']),
    name: String(item['name']),
    arguments: JSON.parse(String(item['arguments'])) as Fields,
  };
}
