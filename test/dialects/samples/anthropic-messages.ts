/** One minimal request of the Messages API for each member that its documentation and its SDK know. */
import type { JsonObject } from '../../../src/dialects/ir/request.ts';

interface Sample {
  readonly field: string;
  readonly body: JsonObject;
}

/** A PNG of one pixel. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const hello = { role: 'user', content: 'Hello' };
const ephemeral = { type: 'ephemeral' };
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } };
const text = { type: 'text', text: 'Hello' };
const plain = { type: 'text', media_type: 'text/plain', data: 'The Nile is long.' };
const document = { type: 'document', source: plain };
const search = {
  type: 'search_result',
  source: 'https://example.org/nile',
  title: 'The Nile',
  content: [text],
};
const look = {
  name: 'look',
  description: 'Looks somewhere',
  input_schema: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] },
};
const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } };
const schema = {
  type: 'object',
  properties: { colour: { type: 'string' } },
  required: ['colour'],
  additionalProperties: false,
};

function sample(field: string, members: JsonObject): Sample {
  return { field, body: { model: 'tiny', max_tokens: 64, messages: [hello], ...members } };
}

function userBlock(field: string, ...content: readonly JsonObject[]): Sample {
  return sample(`messages[].content[].${field}`, { messages: [{ role: 'user', content }] });
}

function assistantBlock(field: string, ...content: readonly JsonObject[]): Sample {
  const messages = [hello, { role: 'assistant', content }, { role: 'user', content: 'Go on.' }];
  return sample(`messages[].content[].${field}`, { messages });
}

/** A call and its result. */
function result(field: string, members: JsonObject): Sample {
  const messages = [
    hello,
    { role: 'assistant', content: [call] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', ...members }] },
  ];
  return sample(`messages[].content[].tool_result${field}`, { tools: [look], messages });
}

function tool(field: string, members: JsonObject): Sample {
  return sample(`tools[].${field}`, { tools: [{ ...look, ...members }] });
}

/** A tool that the service defines. */
function builtin(type: string, members: JsonObject): Sample {
  return sample(`tools[].${type}`, { tools: [{ type, ...members }] });
}

const middle = [hello, { role: 'assistant', content: 'Hi.' }, hello];

export const requestSamples: readonly Sample[] = [
  sample('model', {}),
  sample('max_tokens', { max_tokens: 128 }),
  sample('messages[].content', {}),
  sample('messages[].role.assistant', { messages: middle }),
  sample('messages[].role.system', { messages: [...middle, { role: 'system', content: 'Be brief.' }] }),
  sample('messages[].clear_at', {
    messages: [...middle, { role: 'system', content: 'Be brief.', clear_at: 'next_user_message' }],
  }),
  sample('messages[].output_config', {
    messages: [...middle, { role: 'system', output_config: { effort: 'low' } }],
  }),
  sample('messages[].content[].tool_addition', {
    tools: [{ ...look, defer_loading: true }],
    messages: [
      ...middle,
      {
        role: 'system',
        content: [{ type: 'tool_addition', tool: { type: 'tool_reference', name: 'look' } }],
      },
    ],
  }),
  sample('messages[].content[].tool_removal', {
    tools: [look],
    messages: [
      ...middle,
      {
        role: 'system',
        content: [{ type: 'tool_removal', tool: { type: 'tool_reference', name: 'look' } }],
      },
    ],
  }),
  sample('system', { system: 'Be brief.' }),
  sample('system[].text', { system: [text, { type: 'text', text: 'Be brief.' }] }),
  sample('system[].cache_control', { system: [{ ...text, cache_control: ephemeral }] }),
  userBlock('text', text),
  userBlock('text.cache_control', { ...text, cache_control: { type: 'ephemeral', ttl: '1h' } }),
  userBlock('image.source.base64', image, text),
  userBlock(
    'image.source.url',
    { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
    text,
  ),
  userBlock('image.source.file', { type: 'image', source: { type: 'file', file_id: 'file_1' } }, text),
  userBlock('image.transformations', { ...image, transformations: { oversized_image: 'error' } }, text),
  userBlock(
    'document.source.base64',
    {
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQK' },
    },
    text,
  ),
  userBlock('document.source.text', document, text),
  userBlock(
    'document.source.url',
    {
      type: 'document',
      source: { type: 'url', url: 'https://example.org/a.pdf' },
    },
    text,
  ),
  userBlock('document.source.file', { type: 'document', source: { type: 'file', file_id: 'file_1' } }, text),
  userBlock(
    'document.source.content',
    {
      type: 'document',
      source: { type: 'content', content: [text, image] },
    },
    text,
  ),
  userBlock('document.title', { ...document, title: 'The Nile' }, text),
  userBlock('document.context', { ...document, context: 'From a lexicon' }, text),
  userBlock('document.citations', { ...document, citations: { enabled: true } }, text),
  userBlock('search_result', search, text),
  userBlock('search_result.citations', { ...search, citations: { enabled: true } }, text),
  userBlock('container_upload', { type: 'container_upload', file_id: 'file_1' }, text),
  assistantBlock('text.citations', {
    type: 'text',
    text: 'The Nile is long.',
    citations: [
      {
        type: 'char_location',
        cited_text: 'long',
        document_index: 0,
        document_title: null,
        start_char_index: 12,
        end_char_index: 16,
      },
    ],
  }),
  assistantBlock('thinking', { type: 'thinking', thinking: 'Hm.', signature: '' }, text),
  assistantBlock('thinking.signature', { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }, text),
  assistantBlock('redacted_thinking', { type: 'redacted_thinking', data: 'eHh4' }, text),
  sample('messages[].content[].tool_use', {
    tools: [look],
    messages: [
      hello,
      { role: 'assistant', content: [text, call] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'blue' }, text] },
    ],
  }),
  sample('messages[].content[].tool_use.caller', {
    tools: [look],
    messages: [
      hello,
      {
        role: 'assistant',
        content: [{ ...call, caller: { type: 'code_execution_20260120', tool_id: 'srvtoolu_1' } }],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'blue' }] },
    ],
  }),
  sample('messages[].content[].tool_use.toolset_name', {
    tools: [look],
    messages: [
      hello,
      { role: 'assistant', content: [{ ...call, toolset_name: 'browser' }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'blue' }] },
    ],
  }),
  result('.content', { content: 'blue' }),
  result('.content[].text', { content: [text, text] }),
  result('.content[].image', { content: [image] }),
  result('.content[].document', { content: [document] }),
  result('.content[].search_result', { content: [search] }),
  result('.content[].tool_reference', { content: [{ type: 'tool_reference', tool_name: 'look' }] }),
  result('.content[].browser_state', { content: [{ type: 'browser_state', tabs: [] }] }),
  result('.is_error', { content: 'no', is_error: true }),
  result('.toolset_name', { content: 'blue', toolset_name: 'browser' }),
  assistantBlock(
    'server_tool_use',
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'nile' } },
    text,
  ),
  assistantBlock(
    'web_search_tool_result',
    { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
    text,
  ),
  assistantBlock(
    'web_fetch_tool_result',
    {
      type: 'web_fetch_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: { type: 'web_fetch_tool_result_error', error_code: 'unavailable' },
    },
    text,
  ),
  assistantBlock(
    'code_execution_tool_result',
    {
      type: 'code_execution_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: { type: 'code_execution_result', stdout: '1', stderr: '', return_code: 0, content: [] },
    },
    text,
  ),
  assistantBlock(
    'bash_code_execution_tool_result',
    {
      type: 'bash_code_execution_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: { type: 'bash_code_execution_result', stdout: '1', stderr: '', return_code: 0, content: [] },
    },
    text,
  ),
  assistantBlock(
    'text_editor_code_execution_tool_result',
    {
      type: 'text_editor_code_execution_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: { type: 'text_editor_code_execution_create_result', is_file_update: false },
    },
    text,
  ),
  assistantBlock(
    'tool_search_tool_result',
    {
      type: 'tool_search_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: { type: 'tool_search_tool_search_result', tool_references: [] },
    },
    text,
  ),
  assistantBlock(
    'advisor_tool_result',
    {
      type: 'advisor_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: { type: 'advisor_result', text: 'Be brief.' },
    },
    text,
  ),
  assistantBlock(
    'mcp_tool_use',
    { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'look', server_name: 'eyes', input: {} },
    text,
  ),
  assistantBlock(
    'mcp_tool_result',
    { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_1', content: 'blue' },
    text,
  ),
  assistantBlock('mcp_tool_listing', { type: 'mcp_tool_listing', server_name: 'eyes', tools: [] }, text),
  userBlock('compaction', { type: 'compaction', content: 'They talked of rivers.' }, text),
  assistantBlock('fallback', { type: 'fallback', model: 'tiny' }, text),
  tool('name', {}),
  tool('type.custom', { type: 'custom' }),
  tool('description', { description: 'Looks' }),
  tool('input_schema', {}),
  tool('strict', { strict: true }),
  tool('cache_control', { cache_control: ephemeral }),
  tool('eager_input_streaming', { eager_input_streaming: true }),
  tool('defer_loading', { defer_loading: true }),
  tool('allowed_callers', { allowed_callers: ['code_execution_20260120'] }),
  tool('input_examples', { input_examples: [{ at: 'sky' }] }),
  builtin('bash_20250124', { name: 'bash' }),
  builtin('text_editor_20250728', { name: 'str_replace_based_edit_tool', max_characters: 999 }),
  builtin('computer_20251124', { name: 'computer', display_width_px: 800, display_height_px: 600 }),
  builtin('computer_toolset_20260801', { display_width_px: 800, display_height_px: 600 }),
  builtin('browser_toolset_20260801', {}),
  builtin('memory_20250818', { name: 'memory' }),
  builtin('web_search_20260318', { name: 'web_search', max_uses: 3 }),
  builtin('web_fetch_20260318', { name: 'web_fetch' }),
  builtin('code_execution_20260521', { name: 'code_execution' }),
  builtin('tool_search_tool_regex_20251119', { name: 'tool_search_tool_regex' }),
  builtin('tool_search_tool_bm25_20251119', { name: 'tool_search_tool_bm25' }),
  builtin('advisor_20260301', { name: 'advisor', model: 'tiny' }),
  builtin('mcp_toolset', { mcp_server_name: 'eyes' }),
  sample('tool_choice.auto', { tools: [look], tool_choice: { type: 'auto' } }),
  sample('tool_choice.any', { tools: [look], tool_choice: { type: 'any' } }),
  sample('tool_choice.tool', { tools: [look], tool_choice: { type: 'tool', name: 'look' } }),
  sample('tool_choice.none', { tools: [look], tool_choice: { type: 'none' } }),
  sample('tool_choice.disable_parallel_tool_use', {
    tools: [look],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
  }),
  sample('stream', { stream: true }),
  sample('temperature', { temperature: 0.5 }),
  sample('top_p', { top_p: 0.9 }),
  sample('top_k', { top_k: 20 }),
  sample('stop_sequences', { stop_sequences: ['END'] }),
  sample('thinking.enabled', { max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 1024 } }),
  sample('thinking.disabled', { thinking: { type: 'disabled' } }),
  sample('thinking.adaptive', { thinking: { type: 'adaptive' } }),
  sample('thinking.between_tools', { thinking: { type: 'between_tools' } }),
  sample('thinking.display', { thinking: { type: 'adaptive', display: 'omitted' } }),
  sample('thinking.block_binding', {
    thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
  }),
  sample('output_config.effort', { output_config: { effort: 'high' } }),
  sample('output_config.format', { output_config: { format: { type: 'json_schema', schema } } }),
  sample('output_config.task_budget', { output_config: { task_budget: { type: 'tokens', total: 9000 } } }),
  sample('output_format', { output_format: { type: 'json_schema', schema } }),
  sample('metadata.user_id', { metadata: { user_id: 'ann' } }),
  sample('service_tier', { service_tier: 'auto' }),
  sample('cache_control', { cache_control: ephemeral }),
  sample('container', { container: 'container_1' }),
  sample('container.skills', { container: { skills: [{ type: 'anthropic', skill_id: 'pdf' }] } }),
  sample('mcp_servers', { mcp_servers: [{ type: 'url', name: 'eyes', url: 'https://example.org/mcp' }] }),
  sample('context_management', { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } }),
  sample('compaction', { compaction: { type: 'summarize' } }),
  sample('diagnostics', { diagnostics: { previous_message_id: 'msg_1' } }),
  sample('inference_geo', { inference_geo: 'eu' }),
  sample('speed', { speed: 'fast' }),
  sample('thread', { thread: { type: 'create' } }),
  sample('fallbacks', { fallbacks: [{ model: 'small' }] }),
  sample('fallback_credit_token', { fallback_credit_token: 'x' }),
  sample('billing_policy', { billing_policy: { type: 'billing_policy', bill_to: 'self' } }),
  sample('user_profile_id', { user_profile_id: 'up_1' }),
  sample('workspace_id', { workspace_id: 'wrkspc_1' }),
  sample('anthropic_version', { anthropic_version: 'bedrock-2023-05-31' }),
  sample('anthropic_beta', { anthropic_beta: ['context-1m-2025-08-07'] }),
];
