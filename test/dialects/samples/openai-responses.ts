/**
 * One minimal request of the Responses API for each member that its documentation and its SDK know, but for `background`,
 * `conversation` and `prompt`: these are refused.
 */
import type { JsonObject } from '../../../src/dialects/ir/request.ts';

interface Sample {
  readonly field: string;
  readonly body: JsonObject;
}

/** A PNG of one pixel. */
const png =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const pdf = 'data:application/pdf;base64,JVBERi0xLjQK';
const hello = { role: 'user', content: 'Hello' };
const text = { type: 'input_text', text: 'Hello' };
const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city',
  parameters,
  strict: true,
};
const patch = {
  type: 'custom',
  name: 'apply_patch',
  description: 'Changes files',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' },
};
const call = { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Lima"}' };
const output = { type: 'function_call_output', call_id: 'call_1', output: 'sunny' };
const customCall = {
  type: 'custom_tool_call',
  call_id: 'call_2',
  name: 'apply_patch',
  input: '*** Begin Patch',
};
const customOutput = { type: 'custom_tool_call_output', call_id: 'call_2', output: 'done' };
const said = {
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
};
const citation = {
  type: 'url_citation',
  url: 'https://example.org',
  title: 'A',
  start_index: 0,
  end_index: 1,
};

function sample(field: string, members: JsonObject): Sample {
  return { field, body: { model: 'tiny', input: 'Hello', ...members } };
}

function items(field: string, ...input: readonly JsonObject[]): Sample {
  return sample(`input[].${field}`, { input });
}

function part(field: string, content: JsonObject): Sample {
  return items(`content[].${field}`, { role: 'user', content: [text, content] });
}

/** An item that only this service makes. */
function foreign(type: string, members: JsonObject): Sample {
  return items(type, hello, { type, id: 'x_1', ...members }, said, hello);
}

function tool(field: string, value: JsonObject): Sample {
  return sample(`tools[].${field}`, { tools: [value] });
}

function builtin(type: string, members: JsonObject = {}): Sample {
  return tool(type, { type, ...members });
}

export const requestSamples: readonly Sample[] = [
  sample('model', {}),
  sample('input', {}),
  sample('instructions', { instructions: 'Be brief.' }),
  sample('stream', { stream: true }),
  sample('stream_options.include_obfuscation', {
    stream: true,
    stream_options: { include_obfuscation: true },
  }),
  sample('max_output_tokens', { max_output_tokens: 64 }),
  sample('max_tool_calls', { max_tool_calls: 3 }),
  sample('temperature', { temperature: 0.5 }),
  sample('top_p', { top_p: 0.9 }),
  sample('top_logprobs', { top_logprobs: 2, include: ['message.output_text.logprobs'] }),
  ...[
    'message.output_text.logprobs',
    'reasoning.encrypted_content',
    'web_search_call.action.sources',
    'web_search_call.results',
    'file_search_call.results',
    'code_interpreter_call.outputs',
    'computer_call_output.output.image_url',
    'message.input_image.image_url',
  ].map((name) => sample(`include[].${name}`, { include: [name] })),
  sample('metadata', { metadata: { project: 'a' } }),
  sample('user', { user: 'alice' }),
  sample('safety_identifier', { safety_identifier: 'a1' }),
  sample('prompt_cache_key', { prompt_cache_key: 'k' }),
  sample('prompt_cache_options', { prompt_cache_options: { mode: 'implicit', ttl: '30m' } }),
  sample('prompt_cache_retention', { prompt_cache_retention: '24h' }),
  sample('service_tier', { service_tier: 'flex' }),
  sample('truncation', { truncation: 'auto' }),
  sample('store', { store: false }),
  sample('previous_response_id', { previous_response_id: 'resp_1' }),
  sample('access_programs', { access_programs: { cyber: 'standard' } }),
  sample('context_management', { context_management: [{ type: 'compaction', compact_threshold: 1000 }] }),
  sample('image', { image: { context_compression: 'auto' } }),
  sample('moderation', { moderation: { model: 'm' } }),

  sample('reasoning.effort', { reasoning: { effort: 'high' } }),
  sample('reasoning.effort (none)', { reasoning: { effort: 'none' } }),
  sample('reasoning.summary', { reasoning: { summary: 'auto' } }),
  sample('reasoning.generate_summary', { reasoning: { generate_summary: 'concise' } }),
  sample('reasoning.context', { reasoning: { context: 'all_turns' } }),
  sample('reasoning.mode', { reasoning: { mode: 'pro' } }),
  sample('text.verbosity', { text: { verbosity: 'low' } }),
  sample('text.format (text)', { text: { format: { type: 'text' } } }),
  sample('text.format (json_object)', { text: { format: { type: 'json_object' } } }),
  sample('text.format (json_schema)', {
    text: { format: { type: 'json_schema', name: 'place', schema: parameters } },
  }),
  sample('text.format.strict', {
    text: { format: { type: 'json_schema', name: 'place', schema: parameters, strict: true } },
  }),
  sample('text.format.description', {
    text: { format: { type: 'json_schema', name: 'place', schema: parameters, description: 'A place' } },
  }),

  tool('function', weather),
  tool('function.output_schema', { ...weather, output_schema: parameters }),
  tool('function.allowed_callers', { ...weather, allowed_callers: ['programmatic'] }),
  tool('function.async', { ...weather, async: true }),
  tool('function.defer_loading', { ...weather, defer_loading: true }),
  tool('custom', { type: 'custom', name: 'run', description: 'Runs it' }),
  tool('custom.format', patch),
  tool('custom.async', { ...patch, async: true }),
  tool('namespace', { type: 'namespace', name: 'mcp__places', tools: [weather] }),
  tool('namespace.description', {
    type: 'namespace',
    name: 'mcp__places',
    description: 'Places',
    tools: [weather],
  }),
  builtin('web_search'),
  builtin('web_search_preview'),
  builtin('file_search', { vector_store_ids: ['vs_1'] }),
  builtin('computer'),
  builtin('computer_use_preview', { display_height: 1, display_width: 1, environment: 'linux' }),
  builtin('mcp', { server_label: 'a', server_url: 'https://example.org' }),
  builtin('code_interpreter', { container: { type: 'auto' } }),
  builtin('image_generation'),
  builtin('local_shell'),
  builtin('shell'),
  builtin('apply_patch'),
  builtin('tool_search'),
  builtin('programmatic_tool_calling'),
  ...(['auto', 'none', 'required'] as const).map((choice) =>
    sample(`tool_choice (${choice})`, { tools: [weather], tool_choice: choice }),
  ),
  sample('tool_choice (function)', {
    tools: [weather],
    tool_choice: { type: 'function', name: 'get_weather' },
  }),
  sample('tool_choice (custom)', { tools: [patch], tool_choice: { type: 'custom', name: 'apply_patch' } }),
  sample('tool_choice (allowed_tools)', {
    tools: [weather],
    tool_choice: {
      type: 'allowed_tools',
      mode: 'required',
      tools: [{ type: 'function', name: 'get_weather' }],
    },
  }),
  sample('tool_choice (web_search_preview)', {
    tools: [{ type: 'web_search_preview' }],
    tool_choice: { type: 'web_search_preview' },
  }),
  sample('tool_choice (mcp)', {
    tools: [{ type: 'mcp', server_label: 'a', server_url: 'https://example.org' }],
    tool_choice: { type: 'mcp', server_label: 'a' },
  }),
  sample('parallel_tool_calls', { tools: [weather], parallel_tool_calls: false }),

  ...['user', 'system', 'developer'].map((role) =>
    items(`role (${role})`, { role, content: 'Hello' }, hello),
  ),
  items('role (assistant)', hello, { role: 'assistant', content: 'Hi' }, hello),
  items('message', { type: 'message', role: 'user', status: 'completed', content: [text] }),
  items('message.phase', hello, { ...said, phase: 'commentary' }, hello),
  part('input_text', text),
  part('input_text.prompt_cache_breakpoint', { ...text, prompt_cache_breakpoint: { mode: 'explicit' } }),
  part('input_image.image_url (data)', { type: 'input_image', detail: 'auto', image_url: png }),
  part('input_image.image_url (URL)', {
    type: 'input_image',
    detail: 'auto',
    image_url: 'https://example.org/a.png',
  }),
  part('input_image.file_id', { type: 'input_image', detail: 'auto', file_id: 'file-1' }),
  part('input_image.detail', { type: 'input_image', detail: 'low', image_url: png }),
  part('input_file.file_data', { type: 'input_file', filename: 'a.pdf', file_data: pdf }),
  part('input_file.file_url', { type: 'input_file', file_url: 'https://example.org/a.pdf' }),
  part('input_file.file_id', { type: 'input_file', file_id: 'file-1' }),
  part('input_file.filename', { type: 'input_file', filename: 'a.pdf', file_data: pdf }),
  part('input_file.detail', { type: 'input_file', filename: 'a.pdf', file_data: pdf, detail: 'low' }),
  part('input_audio', { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }),
  items('content[].output_text', hello, said, hello),
  items(
    'content[].output_text.annotations',
    hello,
    {
      ...said,
      content: [{ type: 'output_text', text: 'Hi', annotations: [citation] }],
    },
    hello,
  ),
  items('content[].refusal', hello, { ...said, content: [{ type: 'refusal', refusal: 'No' }] }, hello),
  items(
    'reasoning.content',
    hello,
    {
      type: 'reasoning',
      id: 'rs_1',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'Hm' }],
    },
    said,
    hello,
  ),
  items(
    'reasoning.summary',
    hello,
    { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }] },
    said,
    hello,
  ),
  items(
    'reasoning.encrypted_content',
    hello,
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'eA==' },
    said,
    hello,
  ),
  sample('input[].function_call', { tools: [weather], input: [hello, call, output] }),
  sample('input[].function_call.namespace', {
    tools: [{ type: 'namespace', name: 'mcp__places', tools: [weather] }],
    input: [hello, { ...call, namespace: 'mcp__places' }, output],
  }),
  sample('input[].function_call.caller', {
    tools: [weather],
    input: [hello, { ...call, caller: { type: 'program', caller_id: 'p_1' } }, output],
  }),
  sample('input[].function_call_output', { tools: [weather], input: [hello, call, output] }),
  sample('input[].function_call_output.output[].input_text', {
    tools: [weather],
    input: [hello, call, { ...output, output: [text] }],
  }),
  sample('input[].function_call_output.output[].input_image', {
    tools: [weather],
    input: [hello, call, { ...output, output: [{ type: 'input_image', image_url: png }] }],
  }),
  sample('input[].function_call_output.output[].input_file', {
    tools: [weather],
    input: [hello, call, { ...output, output: [{ type: 'input_file', filename: 'a.pdf', file_data: pdf }] }],
  }),
  sample('input[].custom_tool_call', { tools: [patch], input: [hello, customCall, customOutput] }),
  sample('input[].custom_tool_call_output', { tools: [patch], input: [hello, customCall, customOutput] }),
  items('additional_tools', { type: 'additional_tools', role: 'developer', tools: [weather] }, hello),
  foreign('web_search_call', { status: 'completed', action: { type: 'search', query: 'a' } }),
  foreign('file_search_call', { status: 'completed', queries: ['a'] }),
  foreign('computer_call', { status: 'completed', call_id: 'c', pending_safety_checks: [] }),
  foreign('computer_call_output', { call_id: 'c', output: { type: 'computer_screenshot' } }),
  foreign('code_interpreter_call', { status: 'completed', code: '1', container_id: 'c', outputs: null }),
  foreign('image_generation_call', { status: 'completed', result: null }),
  foreign('local_shell_call', {
    status: 'completed',
    call_id: 'c',
    action: { type: 'exec', command: ['ls'], env: {} },
  }),
  foreign('local_shell_call_output', { output: 'a' }),
  foreign('shell_call', { call_id: 'c', action: { commands: ['ls'] } }),
  foreign('shell_call_output', { call_id: 'c', output: [] }),
  foreign('apply_patch_call', {
    call_id: 'c',
    status: 'completed',
    operation: { type: 'delete_file', path: 'a' },
  }),
  foreign('apply_patch_call_output', { call_id: 'c', status: 'completed' }),
  foreign('mcp_list_tools', { server_label: 'a', tools: [] }),
  foreign('mcp_approval_request', { server_label: 'a', name: 'f', arguments: '{}' }),
  foreign('mcp_approval_response', { approval_request_id: 'x', approve: true }),
  foreign('mcp_call', { server_label: 'a', name: 'f', arguments: '{}', output: 'b' }),
  foreign('tool_search_call', { arguments: {} }),
  foreign('tool_search_output', { tools: [] }),
  foreign('configuration_update', { reasoning: { effort: 'low' } }),
  foreign('compaction', { encrypted_content: 'eA==' }),
  foreign('compaction_trigger', {}),
  foreign('program', { call_id: 'c', code: '1', fingerprint: 'f' }),
  foreign('program_output', { call_id: 'c', result: '1', status: 'completed' }),
];
