/** Requests for text completions, both directions. Their prompt is for the model as it stands. */
import type { WriteTarget } from '../dialect.ts';
import { optionalBoolean, optionalNumber, optionalString, pathOf, present } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, ModelRequest, Sampling, TextRequest } from '../ir/request.ts';
import { headMembers, readHead, readRest, writeHead, writeRest } from '../openai/members.ts';
import { readSampling, samplingMembers, writeSampling } from '../openai/sampling.ts';

const known: ReadonlySet<string> = new Set([
  ...headMembers,
  ...samplingMembers,
  'prompt',
  'suffix',
  'echo',
  'logprobs',
]);

/** Members of the API that nothing else can say. */
const own: ReadonlySet<string> = new Set(['best_of']);

/** @throws RequestShapeError */
export function readRequest(body: JsonObject): TextRequest {
  const place: Place = { fields: body, path: '' };
  return {
    kind: 'text',
    dialect: 'openai-completions',
    ...readHead(place),
    prompt: readPrompt(place),
    ...present({ suffix: optionalString(place, 'suffix'), echo: optionalBoolean(place, 'echo') }),
    raw: true,
    sampling: { ...readSampling(place), ...readLimits(place) },
    ...readRest(body, { known, own }),
  };
}

/** undefined for conversations, and for prompts that a template has to be put around. */
export function writeRequest(request: ModelRequest, target: WriteTarget): JsonObject | undefined {
  if (request.kind !== 'text' || !isForModel(request)) return undefined;
  const { prompt, suffix, echo, system, images, format, reasoning, sampling } = request;
  if (system !== undefined) target.onDropped('system');
  if (images !== undefined) target.onDropped('images');
  if (format !== undefined && format.kind !== 'text') target.onDropped('format');
  if (reasoning !== undefined) target.onDropped('reasoning');
  const written: JsonObject = {
    ...writeHead(request),
    prompt,
    ...present({ suffix, echo }),
    ...writeLimits(sampling),
    ...writeSampling(sampling, target),
  };
  return { ...written, ...writeRest(request, written, { target, dialect: 'openai-completions' }) };
}

/** Filling in the middle has tokens of its own and no template. */
function isForModel({ raw, suffix, echo, prompt }: TextRequest): boolean {
  return raw || suffix !== undefined || echo === true || typeof prompt !== 'string';
}

function readPrompt(place: Place): TextRequest['prompt'] {
  const prompt = place.fields['prompt'] ?? undefined;
  if (prompt === undefined) throw new RequestShapeError(pathOf(place, 'prompt'), 'is required');
  if (typeof prompt === 'string' || isTexts(prompt) || isTokens(prompt) || isTokenLists(prompt))
    return prompt;
  throw new RequestShapeError(
    pathOf(place, 'prompt'),
    'must be a string, a list of strings, a list of tokens or a list of lists of tokens',
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((token) => typeof token === 'number');
}

function isTokenLists(value: unknown): value is readonly (readonly number[])[] {
  return Array.isArray(value) && value.every(isTokens);
}

/** Here `logprobs` is the number of alternatives. */
function readLimits(place: Place): Sampling {
  const topLogprobs = optionalNumber(place, 'logprobs');
  return present({
    maxTokens: optionalNumber(place, 'max_tokens'),
    logprobs: topLogprobs === undefined ? undefined : true,
    topLogprobs,
  });
}

function writeLimits({ maxTokens, logprobs, topLogprobs }: Sampling): JsonObject {
  return present({ max_tokens: maxTokens, logprobs: logprobs === true ? (topLogprobs ?? 0) : undefined });
}
