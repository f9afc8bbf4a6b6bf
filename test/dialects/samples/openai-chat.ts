/** A request for every member that chat completions document, OpenAI's own and those that engines have added. */
import type { JsonObject } from '../../../src/dialects/ir/request.ts';
import type { RequestSample } from './request-sample.ts';

const user = { role: 'user', content: 'What is the weather in Oslo?' };
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const patch = { type: 'custom', custom: { name: 'apply_patch', description: 'Changes files' } };
const call = {
  id: 'call_1',
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
};
const png = 'data:image/png;base64,iVBORw0KGgo=';

function body(members: JsonObject): JsonObject {
  return { model: 'm', messages: [user], ...members };
}

function saying(...messages: readonly JsonObject[]): JsonObject {
  return { model: 'm', messages };
}

function part(value: JsonObject): JsonObject {
  return saying({ role: 'user', content: [{ type: 'text', text: 'Look' }, value] });
}

/** What an assistant said, and the user after it. */
function answered(message: JsonObject, ...results: readonly JsonObject[]): JsonObject {
  return saying(user, { role: 'assistant', ...message }, ...results, { role: 'user', content: 'And now?' });
}

const messageSamples: readonly RequestSample[] = [
  { field: 'messages[].role = system', body: saying({ role: 'system', content: 'Be brief' }, user) },
  { field: 'messages[].role = developer', body: saying({ role: 'developer', content: 'Be brief' }, user) },
  { field: 'messages[].role = assistant', body: answered({ content: 'Cold' }) },
  {
    field: 'messages[].role = tool',
    body: answered({ tool_calls: [call] }, { role: 'tool', tool_call_id: 'call_1', content: '-3 °C' }),
  },
  {
    field: 'messages[].role = function',
    body: answered(
      { content: null, function_call: { name: 'get_weather', arguments: '{}' } },
      { role: 'function', name: 'get_weather', content: '-3 °C' },
    ),
  },
  { field: 'messages[].name', body: saying({ ...user, name: 'ada' }) },
  { field: 'messages[].content[].text', body: part({ type: 'text', text: 'closely' }) },
  {
    field: 'messages[].content[].image_url (data)',
    body: part({ type: 'image_url', image_url: { url: png } }),
  },
  {
    field: 'messages[].content[].image_url (URL)',
    body: part({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }),
  },
  {
    field: 'messages[].content[].image_url.detail',
    body: part({ type: 'image_url', image_url: { url: png, detail: 'low' } }),
  },
  {
    field: 'messages[].content[].input_audio',
    body: part({ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }),
  },
  { field: 'messages[].content[].file.file_id', body: part({ type: 'file', file: { file_id: 'file-1' } }) },
  {
    field: 'messages[].content[].file.file_data',
    body: part({
      type: 'file',
      file: { file_data: 'data:application/pdf;base64,JVBERg==', filename: 'a.pdf' },
    }),
  },
  {
    field: 'messages[].content[].video_url',
    body: part({ type: 'video_url', video_url: { url: 'https://example.com/a.mp4' } }),
  },
  {
    field: 'messages[].content[].refusal',
    body: answered({ content: [{ type: 'refusal', refusal: 'No' }] }),
  },
  { field: 'messages[].refusal', body: answered({ content: null, refusal: 'No' }) },
  { field: 'messages[].audio', body: answered({ content: null, audio: { id: 'audio_1' } }) },
  {
    field: 'messages[].reasoning_content',
    body: answered({ content: 'Cold', reasoning_content: 'Oslo is north' }),
  },
  { field: 'messages[].reasoning', body: answered({ content: 'Cold', reasoning: 'Oslo is north' }) },
  {
    field: 'messages[].tool_calls[].function',
    body: answered(
      { content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: '' },
    ),
  },
  {
    field: 'messages[].tool_calls[].custom',
    body: answered(
      {
        content: null,
        tool_calls: [{ id: 'call_1', type: 'custom', custom: { name: 'apply_patch', input: '+ a' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'done' },
    ),
  },
  {
    field: 'messages[].content[].image_url in a tool result',
    body: answered(
      { content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'image_url', image_url: { url: png } }] },
    ),
  },
];

const toolSamples: readonly RequestSample[] = [
  { field: 'tools[].function', body: body({ tools: [weather] }) },
  {
    field: 'tools[].function.strict',
    body: body({ tools: [{ ...weather, function: { ...weather.function, strict: true } }] }),
  },
  { field: 'tools[].custom', body: body({ tools: [patch] }) },
  {
    field: 'tools[].custom.format',
    body: body({
      tools: [
        {
          type: 'custom',
          custom: {
            name: 'apply_patch',
            format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "+"' } },
          },
        },
      ],
    }),
  },
  { field: 'tool_choice = none', body: body({ tools: [weather], tool_choice: 'none' }) },
  { field: 'tool_choice = auto', body: body({ tools: [weather], tool_choice: 'auto' }) },
  { field: 'tool_choice = required', body: body({ tools: [weather], tool_choice: 'required' }) },
  {
    field: 'tool_choice.function',
    body: body({ tools: [weather], tool_choice: { type: 'function', function: { name: 'get_weather' } } }),
  },
  {
    field: 'tool_choice.custom',
    body: body({ tools: [patch], tool_choice: { type: 'custom', custom: { name: 'apply_patch' } } }),
  },
  {
    field: 'tool_choice.allowed_tools',
    body: body({
      tools: [weather, patch],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'get_weather' } }] },
      },
    }),
  },
  { field: 'parallel_tool_calls', body: body({ tools: [weather], parallel_tool_calls: false }) },
  { field: 'functions', body: body({ functions: [weather.function] }) },
  {
    field: 'function_call',
    body: body({ functions: [weather.function], function_call: { name: 'get_weather' } }),
  },
];

const schema = { type: 'object', properties: { city: { type: 'string' } } };

/** Members whose sample needs nothing but a value. */
const plainMembers: JsonObject = {
  temperature: 0.5,
  top_p: 0.9,
  max_tokens: 100,
  max_completion_tokens: 100,
  seed: 42,
  stop: ['END'],
  frequency_penalty: 0.5,
  presence_penalty: 0.5,
  logit_bias: { '50256': -100 },
  logprobs: true,
  n: 2,
  user: 'ada',
  metadata: { topic: 'weather' },
  reasoning_effort: 'low',
  verbosity: 'low',
  modalities: ['text', 'audio'],
  audio: { format: 'wav', voice: 'alloy' },
  moderation: { model: 'omni-moderation-latest' },
  prediction: { type: 'content', content: 'It is cold' },
  prompt_cache_key: 'key',
  prompt_cache_options: { mode: 'auto' },
  prompt_cache_retention: '24h',
  safety_identifier: 'hash',
  service_tier: 'flex',
  store: true,
  web_search_options: {},
  // Added by engines.
  top_k: 40,
  min_p: 0.05,
  typical_p: 0.9,
  repeat_penalty: 1.1,
  repetition_penalty: 1.1,
  repeat_last_n: 64,
  reasoning: { effort: 'low', max_tokens: 1024 },
  thinking: { type: 'enabled', budget_tokens: 1024 },
  chat_template_kwargs: { enable_thinking: false },
  enable_thinking: true,
  thinking_budget_tokens: 1024,
  thinking_token_budget: 1024,
};

export const requestSamples: readonly RequestSample[] = [
  { field: 'messages', body: body({}) },
  ...messageSamples,
  ...toolSamples,
  ...Object.entries(plainMembers).map(([field, value]) => ({ field, body: body({ [field]: value }) })),
  { field: 'top_logprobs', body: body({ logprobs: true, top_logprobs: 3 }) },
  { field: 'response_format = text', body: body({ response_format: { type: 'text' } }) },
  { field: 'response_format = json_object', body: body({ response_format: { type: 'json_object' } }) },
  {
    field: 'response_format = json_schema',
    body: body({
      response_format: { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } },
    }),
  },
  { field: 'stream', body: body({ stream: true }) },
  {
    field: 'stream_options.include_usage',
    body: body({ stream: true, stream_options: { include_usage: true } }),
  },
  {
    field: 'stream_options.include_obfuscation',
    body: body({ stream: true, stream_options: { include_obfuscation: false } }),
  },
];
