/**
 * Makes the models that tests run on a real llama-server: tiny, random, but well-mannered. Nothing is downloaded; the
 * same options always give the same bytes.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildChatModel } from './gguf/chat-model.ts';
import { writeGguf } from './gguf/container.ts';
import type { GgufContent, Metadata } from './gguf/container.ts';
import { createDraw } from './gguf/draw.ts';
import { buildEncoderModel } from './gguf/encoder-model.ts';
import type { TemplateName } from './gguf/templates.ts';
import { buildVocabulary, marks } from './gguf/vocabulary.ts';
import type { TokenType, Vocabulary } from './gguf/vocabulary.ts';

export interface ModelOptions {
  /** embed: start the server with `--embedding`; rerank: with `--rerank`. Default chat. */
  readonly kind?: 'chat' | 'embed' | 'rerank';
  readonly seed?: number;
  /** Context that the model claims to be trained for. Default 8192, of an encoder 2048. */
  readonly contextTokens?: number;
  /** Chat: layers that do nothing and take time. On one thread 8 give about 900 tokens/s, 24 give 200, 64 give 70. */
  readonly ballast?: number;
  /** Width of those layers. Default 4096; 8192 with 300 layers takes seconds to load. */
  readonly ballastWidth?: number;
  /** think: opens and closes a thought before it answers, and calls no tools. */
  readonly template?: TemplateName;
  /** False: a chat model that talks until it is stopped. Default true: it ends its turn after some 50 tokens. */
  readonly stops?: boolean;
}

const cacheFolder = resolve(import.meta.dirname, '..', '..', '.cache', 'models');
/** Grows when the same options would give other bytes. */
const edition = 1;

/** Path of the model's file, made the first time it is asked for. */
export function modelFile(options: ModelOptions = {}): string {
  const facts = JSON.stringify({ edition, ...withDefaults(options) });
  const hash = createHash('sha256').update(facts).digest('hex').slice(0, 12);
  const file = join(cacheFolder, `${options.kind ?? 'chat'}-${hash}.gguf`);
  if (!existsSync(file)) writeModel(file, options);
  return file;
}

export function writeModel(file: string, options: ModelOptions = {}): void {
  writeGguf(file, buildModel(options));
}

/** The content of a model file. */
export function buildModel(options: ModelOptions = {}): GgufContent {
  const { kind, seed, ...rest } = withDefaults(options);
  const vocabulary = buildVocabulary();
  const draw = createDraw(seed);
  const { metadata, tensors } =
    kind === 'chat'
      ? buildChatModel(vocabulary, draw, rest)
      : buildEncoderModel(vocabulary, draw, { purpose: kind, contextTokens: rest.contextTokens });
  return { metadata: { ...metadata, ...commonMetadata(vocabulary, `toy-${kind}`) }, tensors };
}

function withDefaults(options: ModelOptions): Required<ModelOptions> {
  const kind = options.kind ?? 'chat';
  return {
    kind,
    seed: 42,
    contextTokens: kind === 'chat' ? 8192 : 2048,
    ballast: 0,
    ballastWidth: 4096,
    template: 'chat',
    stops: true,
    ...options,
  };
}

/** Numbers of the file format. */
const typeCodes: Readonly<Record<TokenType, number>> = { normal: 1, hidden: 3, shown: 4 };

function commonMetadata(vocabulary: Vocabulary, name: string): Readonly<Record<string, Metadata>> {
  return {
    'general.type': { text: 'model' },
    'general.name': { text: name },
    'general.size_label': { text: 'toy' },
    'general.file_type': { u32: 1 },
    'general.quantization_version': { u32: 2 },
    'tokenizer.ggml.model': { text: 'gpt2' },
    'tokenizer.ggml.pre': { text: 'gpt-2' },
    'tokenizer.ggml.tokens': { texts: vocabulary.tokens },
    'tokenizer.ggml.token_type': { i32s: vocabulary.types.map((type) => typeCodes[type]) },
    'tokenizer.ggml.merges': { texts: vocabulary.merges },
    'tokenizer.ggml.padding_token_id': { u32: vocabulary.idOf(marks.pad) },
  };
}
