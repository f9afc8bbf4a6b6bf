/** A random encoder of BERT's architecture, for embeddings (mean pooling) or reranking (a classifying head). */
import type { GgufContent, Metadata, Tensor } from './container.ts';
import type { Draw } from './draw.ts';
import { marks } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface EncoderOptions {
  readonly purpose: 'embed' | 'rerank';
  readonly contextTokens: number;
}

const width = 64;
const heads = 4;
const innerWidth = 128;
const layers = 2;
const poolings = { embed: 1, rerank: 4 };

export function buildEncoderModel(vocabulary: Vocabulary, draw: Draw, options: EncoderOptions): GgufContent {
  const size = 1 / Math.sqrt(width);
  const tensors: Tensor[] = [
    weights(
      'token_embd',
      [width, vocabulary.tokens.length],
      draw.normals(width * vocabulary.tokens.length, 0.5),
    ),
    { ...weights('token_types', [width, 2], draw.normals(width * 2, 0.01)), precision: 'f32' },
    {
      ...weights(
        'position_embd',
        [width, options.contextTokens],
        draw.normals(width * options.contextTokens, 0.02),
      ),
      precision: 'f32',
    },
    ...norm('token_embd_norm'),
  ];
  for (let layer = 0; layer < layers; layer++) tensors.push(...layerOf(`blk.${layer}`, draw));
  if (options.purpose === 'rerank') {
    tensors.push(...linear('cls', [width, width], draw.normals(width * width, size)));
    tensors.push(...linear('cls.output', [width, 1], draw.normals(width, size)));
  }
  return { metadata: encoderMetadata(vocabulary, options), tensors };
}

function encoderMetadata(
  vocabulary: Vocabulary,
  options: EncoderOptions,
): Readonly<Record<string, Metadata>> {
  const id = (mark: string): Metadata => ({ u32: vocabulary.idOf(mark) });
  return {
    'general.architecture': { text: 'bert' },
    'bert.context_length': { u32: options.contextTokens },
    'bert.embedding_length': { u32: width },
    'bert.block_count': { u32: layers },
    'bert.feed_forward_length': { u32: innerWidth },
    'bert.attention.head_count': { u32: heads },
    'bert.attention.layer_norm_epsilon': { f32: 1e-12 },
    'bert.attention.causal': { flag: false },
    'bert.pooling_type': { u32: poolings[options.purpose] },
    'tokenizer.ggml.token_type_count': { u32: 2 },
    'tokenizer.ggml.bos_token_id': id(marks.start),
    'tokenizer.ggml.cls_token_id': id(marks.start),
    'tokenizer.ggml.eos_token_id': id(marks.separator),
    // Spelled like this in the format.
    'tokenizer.ggml.seperator_token_id': id(marks.separator),
    'tokenizer.ggml.add_bos_token': { flag: true },
    'tokenizer.ggml.add_eos_token': { flag: true },
  };
}

function layerOf(name: string, draw: Draw): Tensor[] {
  const square = () => draw.normals(width * width, 0.4 / Math.sqrt(width));
  return [
    ...linear(`${name}.attn_q`, [width, width], square()),
    ...linear(`${name}.attn_k`, [width, width], square()),
    ...linear(`${name}.attn_v`, [width, width], square()),
    ...linear(`${name}.attn_output`, [width, width], square()),
    ...norm(`${name}.attn_output_norm`),
    ...linear(
      `${name}.ffn_up`,
      [width, innerWidth],
      draw.normals(width * innerWidth, 0.4 / Math.sqrt(width)),
    ),
    ...linear(
      `${name}.ffn_down`,
      [innerWidth, width],
      draw.normals(width * innerWidth, 0.4 / Math.sqrt(innerWidth)),
    ),
    ...norm(`${name}.layer_output_norm`),
  ];
}

function weights(name: string, shape: readonly [number, number], values: Float32Array): Tensor {
  return { name: `${name}.weight`, shape, precision: 'f16', values };
}

function linear(name: string, shape: readonly [number, number], values: Float32Array): Tensor[] {
  return [
    weights(name, shape, values),
    { name: `${name}.bias`, shape: [shape[1]], precision: 'f32', values: new Float32Array(shape[1]) },
  ];
}

function norm(name: string): Tensor[] {
  const shape = [width];
  return [
    { name: `${name}.weight`, shape, precision: 'f32', values: new Float32Array(width).fill(1) },
    { name: `${name}.bias`, shape, precision: 'f32', values: new Float32Array(width) },
  ];
}
