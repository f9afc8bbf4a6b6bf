/** What makes two requests the same: everything that could change the answer, and who may share it. Pure. */
import { createHash } from 'node:crypto';
import type { RouteName } from '../../domain/routes.ts';
import { canonicalJson } from './canonical-json.ts';

export interface CacheQuestion {
  /** Who shares answers: the name of a key, or '' for everybody. */
  readonly sharers: string;
  readonly route: RouteName;
  /** The model that would answer, and how the client called it: names may have parameters of their own. */
  readonly model: string;
  readonly requested: string;
  /** Whatever else of the request changes the answer. */
  readonly circumstances: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
}

/** How the answer is delivered, not what it says. */
const delivery: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options']);
/** For the books of the service; answers of the Responses API repeat it. */
const bookkeeping: ReadonlySet<string> = new Set([
  'user',
  'metadata',
  'safety_identifier',
  'prompt_cache_key',
  'keep_alive',
]);

/** Of exactly this request. */
export function cacheKey(question: CacheQuestion): string {
  const { route, body } = question;
  const members = Object.fromEntries(Object.entries(body).filter(([name]) => !isIgnored(route, name)));
  return digest(question, members);
}

/** Of all requests that differ in these members at most. */
export function cacheSpace(question: CacheQuestion, varying: readonly string[], extra: unknown): string {
  const { route, body } = question;
  const members = Object.entries(body).filter(([name]) => !isIgnored(route, name) && !varying.includes(name));
  return digest(question, { members: Object.fromEntries(members), extra });
}

function isIgnored(route: RouteName, name: string): boolean {
  return delivery.has(name) || (route !== 'responses' && bookkeeping.has(name));
}

function digest(question: CacheQuestion, value: unknown): string {
  const { sharers, route, model, requested, circumstances } = question;
  const text = canonicalJson([sharers, route, model, requested, circumstances, value]);
  return createHash('sha256').update(text).digest('hex');
}
