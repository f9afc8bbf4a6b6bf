/** Ollama's `/api/embed` and its older `/api/embeddings` over an engine that has OpenAI's `/v1/embeddings`. Pure. */
import {
  countOf,
  isObject,
  objectsOf,
  optionalBoolean,
  optionalNumber,
  pathOf,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject } from '../ir/request.ts';
import { readKeepAlive } from '../ollama/keep-alive.ts';
import { nanoseconds } from '../ollama/metrics.ts';

export interface EmbedRequest {
  readonly model: string;
  /** Empty: the model is only to be loaded. */
  readonly inputs: readonly string[];
  readonly keepAlive: string | number | undefined;
  /** For `/v1/embeddings`; all inputs in one request. */
  readonly body: JsonObject;
  /** Members that the engine could not be told. */
  readonly dropped: readonly string[];
}

/** `/api/embed`. @throws RequestShapeError */
export function readEmbedRequest(body: JsonObject): EmbedRequest {
  const place: Place = { fields: body, path: '' };
  const truncate = optionalBoolean(place, 'truncate');
  const dimensions = optionalNumber(place, 'dimensions');
  const read = readCommon(place, readInputs(place));
  return {
    ...read,
    body: { ...read.body, ...(dimensions !== undefined && { dimensions }) },
    // Without it Ollama cuts what is too long; other engines refuse it.
    dropped: truncate === true ? [...read.dropped, 'truncate'] : read.dropped,
  };
}

/** `/api/embeddings`. @throws RequestShapeError */
export function readOldEmbedRequest(body: JsonObject): EmbedRequest {
  const place: Place = { fields: body, path: '' };
  const prompt = body['prompt'] ?? '';
  if (typeof prompt !== 'string') throw new RequestShapeError('prompt', 'must be a string');
  return readCommon(place, prompt === '' ? [] : [prompt]);
}

function readCommon(place: Place, inputs: readonly string[]): EmbedRequest {
  const model = requiredString(place, 'model');
  if (model === '') throw new RequestShapeError('model', 'is required');
  const options = place.fields['options'];
  return {
    model,
    inputs,
    keepAlive: readKeepAlive(place),
    body: { model, input: inputs, encoding_format: 'float' },
    dropped: isObject(options) ? Object.keys(options).map((name) => `options.${name}`) : [],
  };
}

function readInputs(place: Place): readonly string[] {
  const input = place.fields['input'] ?? '';
  if (typeof input === 'string') return input === '' ? [] : [input];
  if (!Array.isArray(input)) {
    throw new RequestShapeError(pathOf(place, 'input'), 'must be a string or a list of strings');
  }
  return input.map((text: unknown, index) => {
    if (typeof text === 'string') return text;
    throw new RequestShapeError(`${pathOf(place, 'input')}[${index}]`, 'must be a string');
  });
}

export interface EmbedAnswerContext {
  /** As the client said it. */
  readonly model: string;
  /** Unix times in milliseconds. */
  readonly arrivedMs: number;
  readonly nowMs: number;
}

/** For `/api/embed`: every vector, in the order of the inputs. undefined: the engine's answer is none. */
export function writeEmbedAnswer(
  answer: JsonObject,
  { model, arrivedMs, nowMs }: EmbedAnswerContext,
): JsonObject | undefined {
  const embeddings = vectorsOf(answer);
  if (embeddings === undefined) return undefined;
  const usage = isObject(answer['usage']) ? answer['usage'] : {};
  const count = countOf(usage['prompt_tokens']);
  return {
    model,
    embeddings,
    total_duration: nanoseconds(nowMs - arrivedMs),
    load_duration: 0,
    ...(count !== undefined && { prompt_eval_count: count }),
  };
}

/** For `/api/embeddings`: the one vector; empty for an empty prompt. undefined: the engine's answer is none. */
export function writeOldEmbedAnswer(answer: JsonObject): JsonObject | undefined {
  const [embedding] = vectorsOf(answer) ?? [];
  return embedding === undefined ? undefined : { embedding };
}

/** What the client gets for inputs that are none. */
export const emptyEmbedAnswer: JsonObject = { embeddings: [] };
export const emptyOldEmbedAnswer: JsonObject = { embedding: [] };

function vectorsOf(answer: JsonObject): readonly (readonly number[])[] | undefined {
  if (!Array.isArray(answer['data'])) return undefined;
  const rows = objectsOf(answer['data']).map((row, place) => ({
    at: countOf(row['index']) ?? place,
    vector: vectorOf(row['embedding']),
  }));
  const vectors: (readonly number[])[] = [];
  for (const { vector } of rows.toSorted((one, other) => one.at - other.at)) {
    if (vector === undefined) return undefined;
    vectors.push(vector);
  }
  return vectors.length === answer['data'].length ? vectors : undefined;
}

/** Some engines answer in base64 whatever was asked for. What overflowed or is no number counts as zero. */
function vectorOf(value: unknown): readonly number[] | undefined {
  if (Array.isArray(value)) return value.every(isNumberOrNone) ? value.map(finite) : undefined;
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  const count = Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT);
  return Array.from({ length: count }, (_zero, at) =>
    finite(bytes.readFloatLE(at * Float32Array.BYTES_PER_ELEMENT)),
  );
}

/** llama-server writes `null` for NaN and infinity, which JSON has not. */
function isNumberOrNone(value: unknown): value is number | null {
  return typeof value === 'number' || value === null;
}

function finite(value: number | null): number {
  return value !== null && Number.isFinite(value) ? value : 0;
}
