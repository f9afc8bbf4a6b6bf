/**
 * Error answers of engines as they were seen, with what a request can do about them: llama.cpp, Ollama and LM Studio as
 * recorded or reported by their users, vLLM, SGLang and OpenRouter as reported by theirs.
 */
import type { DialectName } from '../../src/dialects/dialect.ts';
import type { EngineError } from '../../src/dialects/ir/answer.ts';
import type { Complaint } from '../../src/dialects/repair/complaint.ts';

export interface SeenError {
  readonly engine: string;
  readonly dialects: readonly DialectName[];
  readonly status: number;
  readonly body: string;
  readonly complaint: Complaint | undefined;
  readonly overflow?: EngineError['overflow'];
}

const openai = ['openai-chat', 'openai-responses'] as const;
const ollama = ['ollama-chat', 'ollama-generate'] as const;
const shared = [...openai, 'anthropic-messages'] as const;
const everybody = [...shared, ...ollama] as const;

export const seenErrors: readonly SeenError[] = [
  {
    engine: 'llama.cpp',
    dialects: everybody,
    status: 400,
    body: '{"error":{"code":400,"message":"request (1523 tokens) exceeds the available context size (512 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":1523,"n_ctx":512}}',
    complaint: 'context',
    overflow: { promptTokens: 1523, contextTokens: 512 },
  },
  {
    engine: 'llama.cpp, while it generates',
    dialects: everybody,
    status: 500,
    body: '{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
    complaint: 'context',
    overflow: {},
  },
  {
    engine: 'Ollama 0.40, in the words of the llama-server behind it',
    dialects: ollama,
    status: 400,
    body: '{"error":"{\\"error\\":{\\"code\\":400,\\"message\\":\\"request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it\\",\\"type\\":\\"exceed_context_size_error\\",\\"n_prompt_tokens\\":5000,\\"n_ctx\\":4096}}"}',
    complaint: 'context',
    overflow: { promptTokens: 5000, contextTokens: 4096 },
  },
  {
    engine: 'Ollama',
    dialects: ollama,
    status: 400,
    body: '{"error":"the input length exceeds the context length"}',
    complaint: 'context',
    overflow: {},
  },
  {
    engine: 'OpenAI, vLLM until 2024',
    dialects: shared,
    status: 400,
    body: '{"object":"error","message":"This model\'s maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, 10000 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}',
    complaint: 'context',
    overflow: { promptTokens: 112_946, contextTokens: 16_384 },
  },
  {
    engine: 'vLLM',
    dialects: shared,
    status: 400,
    body: '{"error":{"message":"This model\'s maximum context length is 131072 tokens. However, you requested 351430 tokens. Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}}',
    complaint: 'context',
    overflow: { promptTokens: 351_430, contextTokens: 131_072 },
  },
  {
    engine: 'vLLM',
    dialects: shared,
    status: 400,
    body: '{"error":{"message":"This model\'s maximum context length is 8192 tokens. However, your request has 9001 input tokens. Please reduce the length of the input messages.","type":"BadRequestError","param":null,"code":400}}',
    complaint: 'context',
    overflow: { promptTokens: 9001, contextTokens: 8192 },
  },
  {
    engine: 'OpenAI',
    dialects: openai,
    status: 400,
    body: '{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}',
    complaint: 'context',
    overflow: {},
  },
  {
    engine: 'SGLang',
    dialects: shared,
    status: 400,
    body: '{"object":"error","message":"The input (61709 tokens) is longer than the model\'s context length (40960 tokens).","type":"BadRequestError","param":null,"code":400}',
    complaint: 'context',
    overflow: { promptTokens: 61_709, contextTokens: 40_960 },
  },
  {
    engine: 'LM Studio 0.3',
    dialects: shared,
    status: 400,
    body: '{"error":"Trying to keep the first 111490 tokens when context the overflows. However, the model is loaded with context length of only 32768 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input"}',
    complaint: 'context',
    overflow: { promptTokens: 111_490, contextTokens: 32_768 },
  },
  {
    engine: 'LM Studio 0.4',
    dialects: shared,
    status: 400,
    body: '{"error":"The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length, or provide a shorter input."}',
    complaint: 'context',
    overflow: { promptTokens: 13_055, contextTokens: 4096 },
  },
  {
    engine: 'LM Studio 0.4',
    dialects: shared,
    status: 400,
    body: '{"error":"Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)"}',
    complaint: 'context',
    overflow: { promptTokens: 15_028, contextTokens: 7424 },
  },
  {
    engine: 'Anthropic',
    dialects: ['anthropic-messages'],
    status: 400,
    body: '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 208310 tokens > 200000 maximum"}}',
    complaint: 'context',
    overflow: { promptTokens: 208_310, contextTokens: 200_000 },
  },
  {
    engine: 'Anthropic, with the answer',
    dialects: ['anthropic-messages'],
    status: 400,
    body: '{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again"}}',
    complaint: 'context',
    overflow: { promptTokens: 188_240, contextTokens: 200_000 },
  },
  {
    engine: 'Ollama',
    dialects: ollama,
    status: 400,
    body: '{"error":"registry.ollama.ai/library/gemma3:4b does not support tools"}',
    complaint: 'tools',
  },
  {
    engine: 'Ollama',
    dialects: openai,
    status: 400,
    body: '{"error":{"message":"registry.ollama.ai/library/gemma3:4b does not support tools","type":"api_error","param":null,"code":null}}',
    complaint: 'tools',
  },
  {
    engine: 'vLLM without a parser for calls',
    dialects: openai,
    status: 400,
    body: '{"object":"error","message":"\\"auto\\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}',
    complaint: 'tools',
  },
  {
    engine: 'llama.cpp without templates',
    dialects: openai,
    status: 500,
    body: '{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}',
    complaint: 'tools',
  },
  {
    engine: 'OpenRouter',
    dialects: openai,
    status: 404,
    body: '{"error":{"message":"No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing","code":404}}',
    complaint: 'tools',
  },
  {
    engine: 'llama.cpp',
    dialects: shared,
    status: 500,
    body: '{"error":{"code":500,"message":"image input is not supported - hint: if this is unexpected, you may need to provide the mmproj","type":"server_error"}}',
    complaint: 'images',
  },
  {
    engine: 'llama.cpp of spring 2025',
    dialects: openai,
    status: 500,
    body: '{"error":{"code":500,"message":"Failed to parse messages: Unsupported content part type: \\"image_url\\"; messages = [ … ]","type":"server_error"}}',
    complaint: 'images',
  },
  {
    engine: 'vLLM',
    dialects: openai,
    status: 400,
    body: '{"object":"error","message":"facebook/opt-125m is not a multimodal model None","type":"BadRequestError","param":null,"code":400}',
    complaint: 'images',
  },
  {
    engine: 'LM Studio',
    dialects: openai,
    status: 400,
    body: '{"error":"Model does not support images. Please use a model that does."}',
    complaint: 'images',
  },
  {
    engine: 'Ollama',
    dialects: ollama,
    status: 500,
    body: '{"error":"Failed to create new sequence: failed to process inputs: this model is missing data required for image input"}',
    complaint: 'images',
  },
  {
    engine: 'OpenRouter',
    dialects: openai,
    status: 404,
    body: '{"error":{"code":"404","message":"No endpoints found that support image input","param":"","type":""}}',
    complaint: 'images',
  },
  {
    engine: 'any, about something else',
    dialects: everybody,
    status: 400,
    body: '{"error":{"code":400,"message":"Invalid value for temperature","type":"invalid_request_error"}}',
    complaint: undefined,
  },
  {
    engine: 'llama.cpp, about something else',
    dialects: everybody,
    status: 503,
    body: '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
    complaint: undefined,
  },
];
