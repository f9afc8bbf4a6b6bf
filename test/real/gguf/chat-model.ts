/**
 * A chat model of llama's architecture whose weights are random but for what makes it speak (speech.ts). Ballast layers
 * change nothing in its answers and cost time.
 */
import type { GgufContent, Metadata, Tensor } from './container.ts';
import type { Draw } from './draw.ts';
import { composeSpeech, never, voices } from './speech.ts';
import type { Speech } from './speech.ts';
import { chatTemplate } from './templates.ts';
import type { TemplateName } from './templates.ts';
import { marks } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface ChatOptions {
  readonly contextTokens: number;
  /** Layers of zeros after the real ones. */
  readonly ballast: number;
  /** Feed-forward width with ballast; more = slower. */
  readonly ballastWidth: number;
  readonly template: TemplateName;
  readonly stops: boolean;
}

const width = 64;
const heads = 4;
const sharedHeads = 2;
const headWidth = width / heads;
const layers = 2;
const innerWidth = 128;

/**
 * The first channels of a token's vector are written by its embedding alone: channel 0 is the same for all, so that
 * column 0 of the output matrix is a bias; the others tell the voice.
 */
const fixedChannels = 1 + voices.length;
const fixedValue = 4;
/** Root mean square of the final vector: two fixed channels, and noise from the embedding and the layers. */
const finalSize = Math.sqrt((2 * fixedValue ** 2 + (width - fixedChannels) * 0.35) / width);

export function buildChatModel(vocabulary: Vocabulary, draw: Draw, options: ChatOptions): GgufContent {
  const inner = options.ballast > 0 ? Math.max(innerWidth, options.ballastWidth) : innerWidth;
  const speech = composeSpeech(vocabulary, options.stops);
  const embedding = embeddingOf(speech, draw);
  const tensors: Tensor[] = [matrix('token_embd', [width, vocabulary.tokens.length], embedding)];
  for (let layer = 0; layer < layers + options.ballast; layer++) {
    tensors.push(...layerOf(`blk.${layer}`, inner, layer < layers ? draw : undefined));
  }
  tensors.push(ones('output_norm'));
  tensors.push(matrix('output', [width, vocabulary.tokens.length], outputOf(speech, embedding, draw)));
  return { metadata: chatMetadata(vocabulary, inner, options), tensors };
}

function chatMetadata(
  vocabulary: Vocabulary,
  inner: number,
  options: ChatOptions,
): Readonly<Record<string, Metadata>> {
  const id = (mark: string): Metadata => ({ u32: vocabulary.idOf(mark) });
  return {
    'general.architecture': { text: 'llama' },
    'llama.context_length': { u32: options.contextTokens },
    'llama.embedding_length': { u32: width },
    'llama.block_count': { u32: layers + options.ballast },
    'llama.feed_forward_length': { u32: inner },
    'llama.attention.head_count': { u32: heads },
    'llama.attention.head_count_kv': { u32: sharedHeads },
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
    'llama.rope.dimension_count': { u32: headWidth },
    'llama.rope.freq_base': { f32: 10_000 },
    'llama.vocab_size': { u32: vocabulary.tokens.length },
    'tokenizer.ggml.bos_token_id': id(marks.end),
    'tokenizer.ggml.eos_token_id': id(marks.turnEnd),
    'tokenizer.ggml.add_bos_token': { flag: false },
    'tokenizer.ggml.fim_pre_token_id': id(marks.fillPrefix),
    'tokenizer.ggml.fim_suf_token_id': id(marks.fillSuffix),
    'tokenizer.ggml.fim_mid_token_id': id(marks.fillMiddle),
    'tokenizer.chat_template': { text: chatTemplate(options.template) },
  };
}

function embeddingOf(speech: Speech, draw: Draw): Float32Array {
  const embedding = draw.normals(speech.bias.length * width, 0.5);
  speech.voiceAfter.forEach((voice, id) => {
    embedding[id * width] = fixedValue;
    voices.forEach((other, index) => {
      embedding[id * width + 1 + index] = other === voice ? fixedValue : 0;
    });
  });
  return embedding;
}

/** Row by row: the token's bias, ten more in its own voice, and chance. */
function outputOf(speech: Speech, embedding: Float32Array, draw: Draw): Float32Array {
  const output = draw.normals(speech.bias.length * width, 0.25);
  const perLogit = finalSize / fixedValue;
  speech.bias.forEach((bias, id) => {
    const row = output.subarray(id * width, (id + 1) * width);
    if (bias <= never) row.fill(0);
    row[0] = bias * perLogit;
    voices.forEach((voice, index) => {
      row[1 + index] = speech.belongs[id] && speech.voiceAfter[id] === voice ? 10 * perLogit : 0;
    });
  });
  for (const [last, next] of speech.sequels) {
    const vector = embedding.subarray(last * width + fixedChannels, (last + 1) * width);
    const square = vector.reduce((sum, value) => sum + value * value, 0);
    vector.forEach((value, index) => {
      const at = next * width + fixedChannels + index;
      output[at] = (output[at] ?? 0) + (value * 100 * finalSize) / square;
    });
  }
  return output;
}

/** Without `draw` a layer of zeros, which passes its input on. */
function layerOf(name: string, inner: number, draw: Draw | undefined): Tensor[] {
  const size = 1 / Math.sqrt(width);
  const random = (part: string, shape: readonly [number, number], deviation: number) =>
    matrix(`${name}.${part}`, shape, draw?.normals(shape[0] * shape[1], deviation));
  const narrow = width * headWidth * sharedHeads;
  return [
    ones(`${name}.attn_norm`),
    random('attn_q', [width, width], size),
    random('attn_k', [width, narrow / width], size),
    random('attn_v', [width, narrow / width], 0.3 * size),
    matrix(`${name}.attn_output`, [width, width], draw && sparingFixed(draw, width, 0.5 * size)),
    ones(`${name}.ffn_norm`),
    matrix(`${name}.ffn_gate`, [width, inner], draw && widened(draw, inner, 0.5 * size)),
    matrix(`${name}.ffn_up`, [width, inner], draw && widened(draw, inner, 0.5 * size)),
    matrix(
      `${name}.ffn_down`,
      [inner, width],
      draw && sparingFixed(draw, inner, 0.5 / Math.sqrt(innerWidth)),
    ),
  ];
}

/** Rows that would write to the fixed channels are zero, and so are columns beyond the real inner width. */
function sparingFixed(draw: Draw, columns: number, deviation: number): Float32Array {
  const values = new Float32Array(columns * width);
  const used = Math.min(columns, innerWidth);
  for (let row = fixedChannels; row < width; row++) {
    values.set(draw.normals(used, deviation), row * columns);
  }
  return values;
}

/** Random rows up to the real inner width, zeros beyond it. */
function widened(draw: Draw, inner: number, deviation: number): Float32Array {
  const values = new Float32Array(width * inner);
  values.set(draw.normals(width * innerWidth, deviation));
  return values;
}

function matrix(name: string, shape: readonly number[], values: Float32Array | undefined): Tensor {
  return { name: `${name}.weight`, shape, precision: 'f16', values };
}

function ones(name: string): Tensor {
  return {
    name: `${name}.weight`,
    shape: [width],
    precision: 'f32',
    values: new Float32Array(width).fill(1),
  };
}
