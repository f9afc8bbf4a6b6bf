/** Asks a router as the owner of an API key. */
import { ask, type Answer } from './client.ts';
import type { TestRouter } from './start-router.ts';

/** Options of a request with this key. */
export const as = (key: string, more: Record<string, string> = {}) => ({
  headers: { 'x-api-key': key, ...more },
});

export const codeOf = (answer: Answer): unknown =>
  (answer.json()['error'] as { code?: unknown } | undefined)?.code;

/** A model of a fake engine. */
export const modelOf = (id: string) => ({
  id,
  contextTokens: 4096,
  promptTokensPerS: 50_000,
  tokensPerS: 500,
});

/** What `/api/keys` says, by name. */
export async function keysOf(
  router: TestRouter,
  key = 'all',
): Promise<Record<string, Record<string, unknown>>> {
  const body = (await ask(`${router.url}/api/keys`, as(key)).answer).json();
  const { keys } = body as unknown as { keys: { name: string }[] };
  return Object.fromEntries(keys.map((each) => [each.name, each]));
}
