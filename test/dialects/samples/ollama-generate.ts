/** One minimal request of Ollama's `/api/generate` for each member that it documents. */
import type { JsonObject } from '../../../src/dialects/ir/request.ts';
import { ollamaOptionSamples } from './ollama-chat.ts';

/** A PNG of one pixel. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function sample(field: string, members: JsonObject): { readonly field: string; readonly body: JsonObject } {
  return { field, body: { model: 'tiny', prompt: 'Once upon a time', ...members } };
}

export const requestSamples: readonly { readonly field: string; readonly body: JsonObject }[] = [
  sample('model', {}),
  sample('prompt', {}),
  sample('suffix', { suffix: ' The end.' }),
  sample('system', { system: 'Be short.' }),
  sample('template', { template: '{{ .Prompt }}' }),
  sample('context', { context: [1, 2, 3] }),
  sample('raw', { raw: true }),
  sample('images', { images: [png] }),
  sample('stream', { stream: false }),
  sample('format: json', { format: 'json' }),
  sample('format: schema', { format: { type: 'object', properties: { answer: { type: 'string' } } } }),
  sample('think', { think: true }),
  sample('think: false', { think: false }),
  sample('think: level', { think: 'low' }),
  sample('keep_alive', { keep_alive: 0 }),
  sample('logprobs', { logprobs: true }),
  sample('top_logprobs', { logprobs: true, top_logprobs: 3 }),
  sample('truncate', { truncate: false }),
  sample('shift', { shift: false }),
  sample('width', { width: 512 }),
  sample('height', { height: 512 }),
  sample('steps', { steps: 4 }),
  ...ollamaOptionSamples.map(({ name, value }) => sample(`options.${name}`, { options: { [name]: value } })),
];
