/** Which path does what. Reads the body, finds the model, and hands over; the engine's identity stays in engine.ts. */
import { EngineError, notFound } from './engine-error.ts';
import type { Exchange } from './exchange.ts';
import { createChatFormat } from './formats/chat.ts';
import { createCompletionFormat } from './formats/completion.ts';
import type { AnswerContext, AnswerFormat } from './formats/format.ts';
import { createMessagesFormat } from './formats/messages.ts';
import { createNativeFormat } from './formats/native.ts';
import { createResponsesFormat } from './formats/responses.ts';
import {
  parseBody,
  parseGeneration,
  renderChat,
  requireContext,
  responsesToChat,
  type Body,
} from './generation-request.ts';
import { startGeneration } from './generation.ts';
import type { ModelHost } from './model-host.ts';
import type { SimEngineOptions } from './options.ts';
import type { Runner } from './runner.ts';
import {
  metricsText,
  modelProps,
  routerModels,
  routerProps,
  singleModels,
  slotList,
} from './status-answers.ts';
import { countTokens, detokenize, tokenize } from './tokens.ts';
import { hashText, startEmbeddings, startRerank } from './vectors.ts';

export interface RouteContext {
  readonly options: SimEngineOptions;
  readonly host: ModelHost;
  readonly startedAtS: number;
  readonly newId: () => string;
  readonly epochMs: () => number;
  /** Grows by one per generating request. */
  readonly nextCount: () => number;
}

interface Posted {
  readonly exchange: Exchange;
  readonly body: Body;
  readonly runner: Runner;
  readonly context: RouteContext;
}

/** Answers one exchange. Throws EngineError for anything that is no success. */
export async function route(exchange: Exchange, context: RouteContext): Promise<void> {
  const { method, path } = exchange;
  if (method === 'GET' || method === 'HEAD') return answerGet(exchange, context);
  if (method !== 'POST') throw notFound();
  if (path === '/props') throw unsupported('changing global properties', '--props');
  if (path === '/models/load' || path === '/models/unload') {
    const { model } = parseBody(await exchange.body());
    if (path === '/models/load') context.host.load(model);
    else context.host.unload(model);
    exchange.json(200, { success: true });
    return;
  }
  const answer = posts[path];
  if (answer === undefined) throw notFound();
  const body = parseBody(await exchange.body());
  const runner = await context.host.runner(body['model'], true);
  exchange.proxied = context.host.single === undefined;
  answer({ exchange, body, runner, context });
}

async function answerGet(exchange: Exchange, context: RouteContext): Promise<void> {
  const { host, options } = context;
  const model = exchange.query.get('model');
  switch (exchange.path) {
    case '/health':
    case '/v1/health':
      exchange.json(200, { status: 'ok' });
      return;
    case '/models':
    case '/v1/models':
      exchange.json(
        200,
        host.single ? singleModels(host.single) : routerModels(host.models, context.startedAtS),
      );
      return;
    case '/lora-adapters':
      exchange.json(200, []);
      return;
    case '/props':
      if (host.single === undefined && model === null) exchange.json(200, routerProps(options));
      else exchange.json(200, modelProps((await askedRunner(exchange, host)).model, options.slots));
      return;
    case '/slots':
      answerSlots(exchange, await askedRunner(exchange, host));
      return;
    case '/metrics': {
      const text = metricsText(await askedRunner(exchange, host));
      const headers = { 'Process-Start-Time-Unix': String(context.startedAtS) };
      exchange.text(200, text, { type: 'text/plain; version=0.0.4', headers });
      return;
    }
    default:
      throw notFound();
  }
}

/** In router mode a GET names its model in the query, and loads it unless told not to. */
async function askedRunner(exchange: Exchange, host: ModelHost): Promise<Runner> {
  const runner = await host.runner(exchange.query.get('model'), exchange.query.get('autoload') !== 'false');
  exchange.proxied = host.single === undefined;
  return runner;
}

function answerSlots(exchange: Exchange, runner: Runner): void {
  const full = runner.pool.busy === runner.pool.read().length;
  if (full && exchange.query.has('fail_on_no_slot')) throw new EngineError(503, 'no slot available');
  exchange.json(200, slotList(runner));
}

const posts: Readonly<Record<string, (posted: Posted) => void>> = {
  '/v1/chat/completions': chat,
  '/chat/completions': chat,
  '/v1/chat/completions/input_tokens': ({ exchange, body }) =>
    exchange.json(200, { input_tokens: countTokens(renderChat(body)), object: 'response.input_tokens' }),
  '/v1/completions': (posted) =>
    generate(posted, {
      prompts: givenPrompts(posted.body),
      createFormat: createCompletionFormat,
      chat: false,
    }),
  '/completion': native,
  '/completions': native,
  '/infill': (posted) =>
    generate(posted, { prompts: [infillPrompt(posted.body)], createFormat: createNativeFormat, chat: false }),
  '/v1/responses': responses,
  '/responses': responses,
  '/v1/responses/input_tokens': ({ exchange, body }) =>
    exchange.json(200, {
      input_tokens: countTokens(renderChat(responsesToChat(body))),
      object: 'response.input_tokens',
    }),
  '/v1/messages': messages,
  '/v1/messages/count_tokens': ({ exchange, body }) =>
    exchange.json(200, { input_tokens: countTokens(renderChat(body)) }),
  '/tokenize'({ exchange, body }) {
    const tokens = tokenize(typeof body['content'] === 'string' ? body['content'] : '');
    exchange.json(200, { tokens: body['with_pieces'] === true ? tokens : tokens.map(({ id }) => id) });
  },
  '/detokenize'({ exchange, body }) {
    const tokens: readonly unknown[] = Array.isArray(body['tokens']) ? body['tokens'] : [];
    exchange.json(200, { content: detokenize(tokens.filter((id) => typeof id === 'number')) });
  },
  '/apply-template': ({ exchange, body }) => exchange.json(200, { prompt: renderChat(body) }),
  '/v1/embeddings': embeddings,
  '/embeddings': embeddings,
  '/embedding': embeddings,
  '/v1/rerank': rerank,
  '/rerank': rerank,
  '/v1/reranking': rerank,
  '/reranking': rerank,
};

function chat(posted: Posted): void {
  generate(posted, { prompts: [renderChat(posted.body)], createFormat: createChatFormat, chat: true });
}

function native(posted: Posted): void {
  generate(posted, { prompts: givenPrompts(posted.body), createFormat: createNativeFormat, chat: false });
}

function responses(posted: Posted): void {
  const body = responsesToChat(posted.body);
  generate(
    { ...posted, body },
    { prompts: [renderChat(body)], createFormat: createResponsesFormat, chat: true },
  );
}

function messages(posted: Posted): void {
  if (!Array.isArray(posted.body['messages'])) throw new EngineError(500, "'messages' is required");
  generate(posted, { prompts: [renderChat(posted.body)], createFormat: createMessagesFormat, chat: true });
}

function embeddings({ exchange, body, runner, context }: Posted): void {
  if (context.options.embeddings !== true) throw unsupported('embeddings', '--embeddings');
  startEmbeddings(exchange, runner, body, exchange.path === '/embedding');
}

function rerank({ exchange, body, runner, context }: Posted): void {
  if (context.options.rerank !== true) throw unsupported('reranking', '--reranking');
  startRerank(exchange, runner, body);
}

interface GenerateOptions {
  readonly prompts: readonly string[];
  readonly createFormat: (context: AnswerContext) => AnswerFormat;
  readonly chat: boolean;
}

function generate(
  { exchange, body, runner, context }: Posted,
  { prompts, createFormat, chat: isChat }: GenerateOptions,
): void {
  const { options } = context;
  if (options.embeddings === true || options.rerank === true) {
    throw new EngineError(500, 'the current context does not support logits computation. skipping');
  }
  const request = parseGeneration(body, prompts, options.slots);
  for (const prompt of prompts) requireContext(prompt, runner.model.contextTokens);
  const asked = request.seed ?? context.nextCount();
  startGeneration({
    exchange,
    runner,
    request,
    createFormat,
    chat: isChat,
    text: options.text ?? 'english',
    seed: hashText(`${options.seed}/${asked}/${prompts[0]?.slice(-200) ?? ''}`),
    newId: context.newId,
    epochMs: context.epochMs,
  });
}

function givenPrompts(body: Body): string[] {
  const { prompt } = body;
  if (prompt === undefined) throw missingKey('prompt');
  if (typeof prompt === 'string') return [prompt];
  const list: readonly unknown[] = Array.isArray(prompt) ? prompt : [];
  const ids = list.filter((each) => typeof each === 'number');
  if (ids.length > 0) return [detokenize(ids)];
  return list.filter((each) => typeof each === 'string');
}

function infillPrompt({ input_prefix: prefix, input_suffix: suffix }: Body): string {
  if (typeof prefix !== 'string') throw missingKey('input_prefix');
  if (typeof suffix !== 'string') throw missingKey('input_suffix');
  return `<|fim_prefix|>${prefix}<|fim_suffix|>${suffix}<|fim_middle|>`;
}

function missingKey(name: string): EngineError {
  return new EngineError(400, `[json.exception.out_of_range.403] key '${name}' not found`);
}

function unsupported(what: string, flag: string): EngineError {
  return new EngineError(501, `This server does not support ${what}. Start it with \`${flag}\``);
}
