/** Which paths belong to the admin API, which of them need no key, and how much of a key the others need. */
import type { AdminAccess } from '../domain/admin-access.ts';

const openPaths: ReadonlySet<string> = new Set(['/health', '/wol-health', '/monitor', '/monitor/data']);
const closedPaths: ReadonlySet<string> = new Set([
  '/metrics',
  '/api',
  '/running',
  '/unload',
  '/logs',
  '/logs/stream',
  '/servers',
]);
const closedStarts: readonly string[] = ['/api/', '/logs/stream/'];

/** Paths that change something although they are asked with GET, as llama-swap's clients do. */
export const changingReads: ReadonlySet<string> = new Set(['/unload']);

/** Ollama's inference routes begin like ours. */
const enginePaths: ReadonlySet<string> = new Set([
  '/api/chat',
  '/api/generate',
  '/api/embed',
  '/api/embeddings',
]);

/** `path` is without its query. */
export function isAdminPath(path: string): boolean {
  if (enginePaths.has(path)) return false;
  return openPaths.has(path) || closedPaths.has(path) || closedStarts.some((start) => path.startsWith(start));
}

/** Paths that answer without a key: health and the monitor. Where keys are asked for they tell figures then, and no names. */
export function isOpenAdminPath(path: string): boolean {
  return openPaths.has(path);
}

/** Lists of what a key may use, and the version that Ollama's clients compare. */
const plainPaths: ReadonlySet<string> = new Set([
  '/api/version',
  '/api/tags',
  '/api/ps',
  '/api/ps_details',
  '/api/show',
]);
const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Asked with a body, and change nothing. */
const readingPosts: ReadonlySet<string> = new Set(['/api/stats']);

/** What a key has to open for a path of the admin API. */
export function accessNeeded(method: string, path: string): AdminAccess {
  if (openPaths.has(path) || plainPaths.has(path)) return 'none';
  const reads = readingMethods.has(method) ? !changingReads.has(path) : readingPosts.has(path);
  return reads ? 'read' : 'full';
}
