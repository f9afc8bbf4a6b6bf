/** Which paths belong to the admin API, and which of them need no key. */

const openPaths: ReadonlySet<string> = new Set(['/health', '/monitor', '/monitor/data']);

/** `path` is without its query. */
export function isAdminPath(path: string): boolean {
  return openPaths.has(path) || path === '/metrics' || path === '/api' || path.startsWith('/api/');
}

/** Paths that tell nothing worth a key: health, and the monitor, which shows no keys, callers, paths or prompts. */
export function isOpenAdminPath(path: string): boolean {
  return openPaths.has(path);
}
