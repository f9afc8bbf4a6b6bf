/** One minimal request of Ollama's `/api/chat` for each member that it documents. */
import type { JsonObject } from '../../../src/dialects/ir/request.ts';

/** A PNG of one pixel. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const hello = { role: 'user', content: 'Hello' };
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const call = { function: { name: 'get_weather', arguments: { city: 'Lima' } } };
const asked = { role: 'user', content: 'What is the weather in Lima?' };

function sample(field: string, members: JsonObject): { readonly field: string; readonly body: JsonObject } {
  return { field, body: { model: 'tiny', messages: [hello], ...members } };
}

function message(field: string, ...messages: readonly JsonObject[]): ReturnType<typeof sample> {
  return sample(`messages[].${field}`, { messages });
}

function option(name: string, value: unknown): ReturnType<typeof sample> {
  return sample(`options.${name}`, { options: { [name]: value } });
}

export const ollamaOptionSamples: readonly { readonly name: string; readonly value: unknown }[] = [
  { name: 'num_ctx', value: 8192 },
  { name: 'num_predict', value: 64 },
  { name: 'temperature', value: 0.5 },
  { name: 'top_k', value: 20 },
  { name: 'top_p', value: 0.9 },
  { name: 'min_p', value: 0.05 },
  { name: 'typical_p', value: 0.7 },
  { name: 'seed', value: 7 },
  { name: 'stop', value: ['END'] },
  { name: 'repeat_penalty', value: 1.1 },
  { name: 'repeat_last_n', value: 64 },
  { name: 'presence_penalty', value: 0.2 },
  { name: 'frequency_penalty', value: 0.3 },
  { name: 'mirostat', value: 1 },
  { name: 'mirostat_eta', value: 0.1 },
  { name: 'mirostat_tau', value: 5 },
  { name: 'tfs_z', value: 1 },
  { name: 'penalize_newline', value: true },
  { name: 'num_keep', value: 5 },
  { name: 'num_batch', value: 256 },
  { name: 'num_gpu', value: 1 },
  { name: 'main_gpu', value: 0 },
  { name: 'num_thread', value: 4 },
  { name: 'use_mmap', value: true },
  { name: 'use_mlock', value: false },
  { name: 'numa', value: false },
  { name: 'low_vram', value: false },
  { name: 'f16_kv', value: true },
  { name: 'logits_all', value: false },
  { name: 'vocab_only', value: false },
  { name: 'embedding_only', value: false },
  { name: 'draft_num_predict', value: 4 },
];

export const requestSamples: readonly { readonly field: string; readonly body: JsonObject }[] = [
  sample('model', {}),
  sample('messages', {}),
  message('role: system', { role: 'system', content: 'Be short.' }, hello),
  message('role: assistant', hello, { role: 'assistant', content: 'Hi' }, hello),
  message('content', hello),
  message('images', { ...hello, images: [png] }),
  message('thinking', hello, { role: 'assistant', content: 'Hi', thinking: 'A greeting.' }, hello),
  message('tool_calls[].function', asked, { role: 'assistant', content: '', tool_calls: [call] }),
  message('tool_calls[].id', asked, { role: 'assistant', content: '', tool_calls: [{ id: 'c1', ...call }] }),
  message(
    'tool_name',
    asked,
    { role: 'assistant', content: '', tool_calls: [call] },
    { role: 'tool', content: 'Sunny', tool_name: 'get_weather' },
  ),
  message(
    'tool_call_id',
    asked,
    { role: 'assistant', content: '', tool_calls: [{ id: 'c1', ...call }] },
    { role: 'tool', content: 'Sunny', tool_call_id: 'c1' },
  ),
  sample('tools[].function.name', { tools: [{ type: 'function', function: { name: 'now' } }] }),
  sample('tools[].function.description', { tools: [weather] }),
  sample('tools[].function.parameters', { tools: [weather] }),
  sample('stream', { stream: false }),
  sample('format: json', { format: 'json' }),
  sample('format: schema', { format: { type: 'object', properties: { answer: { type: 'string' } } } }),
  sample('think', { think: true }),
  sample('think: false', { think: false }),
  sample('think: level', { think: 'high' }),
  sample('keep_alive', { keep_alive: '10m' }),
  sample('logprobs', { logprobs: true }),
  sample('top_logprobs', { logprobs: true, top_logprobs: 3 }),
  sample('truncate', { truncate: false }),
  sample('shift', { shift: false }),
  ...ollamaOptionSamples.map(({ name, value }) => option(name, value)),
];
