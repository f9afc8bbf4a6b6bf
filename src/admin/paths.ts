/** Which paths belong to the admin API, and which of them need no key. */

const openPaths: ReadonlySet<string> = new Set(['/health', '/wol-health', '/monitor', '/monitor/data']);
const closedPaths: ReadonlySet<string> = new Set([
  '/metrics',
  '/api',
  '/running',
  '/unload',
  '/logs',
  '/logs/stream',
]);
const closedStarts: readonly string[] = ['/api/', '/logs/stream/'];

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

/** Paths that tell nothing worth a key: health, and the monitor, which shows no keys, callers, paths or prompts. */
export function isOpenAdminPath(path: string): boolean {
  return openPaths.has(path);
}
