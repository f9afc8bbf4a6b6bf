/** What a request may cost in tokens, guessed before it begins: what is reserved of its key's limits. */
import { lastMember } from '../../base/json-scan.ts';
import type { RouteName } from '../../domain/routes.ts';
import type { BodyFacts } from '../peek.ts';
import type { Route } from '../routes.ts';
import { estimateTokens } from '../token-estimate.ts';

export interface CostEstimate {
  readonly input: number;
  readonly output: number;
}

/** Of an answer whose request sets no limit. */
export const outputTokensDefault = 4096;
const bytesPerToken = 4;
/** Many inputs in one body, or a prompt beside pictures: all of it is read. */
const readWhole: ReadonlySet<RouteName> = new Set([
  'completions',
  'native-completion',
  'embeddings',
  'rerank',
  'ollama-chat',
  'ollama-generate',
  'ollama-embed',
  'ollama-embeddings',
]);
const generating: ReadonlySet<RouteName> = new Set([
  'chat-completions',
  'completions',
  'responses',
  'messages',
  'ollama-chat',
  'ollama-generate',
  'native-completion',
  'infill',
]);
const outputLimits = ['max_completion_tokens', 'max_output_tokens', 'max_tokens', 'n_predict'];
const nothing: CostEstimate = { input: 0, output: 0 };

export function estimateCost(
  route: Pick<Route, 'name' | 'takesSlot'>,
  body: Buffer,
  peeked: BodyFacts,
): CostEstimate {
  if (!route.takesSlot || peeked.object === undefined) return nothing;
  const input = estimateTokens(route.name, body, peeked.object.longStrings) || wholeBody(route.name, body);
  return { input, output: generating.has(route.name) ? outputOf(body, peeked) : 0 };
}

function wholeBody(route: RouteName, body: Buffer): number {
  if (!readWhole.has(route) || body.includes('"images"')) return 0;
  return Math.ceil(body.length / bytesPerToken);
}

function outputOf(body: Buffer, peeked: BodyFacts): number {
  const options = memberOf(body, peeked, 'options');
  const nested = isRecord(options) ? options['num_predict'] : undefined;
  const limits = [...outputLimits.map((name) => memberOf(body, peeked, name)), nested];
  const limit = limits.find(isCount) ?? outputTokensDefault;
  const choices = ['n', 'n_cmpl'].map((name) => memberOf(body, peeked, name)).find(isCount) ?? 1;
  return limit * choices;
}

/** The value of a small member; undefined for any other. */
function memberOf(body: Buffer, { object }: BodyFacts, name: string): unknown {
  const member = object === undefined ? undefined : lastMember(object, name);
  if (member === undefined || (member.kind !== 'number' && member.kind !== 'object')) return undefined;
  try {
    return JSON.parse(body.toString('utf8', member.start, member.end));
  } catch {
    return undefined;
  }
}

/** Engines take a negative limit for none. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
