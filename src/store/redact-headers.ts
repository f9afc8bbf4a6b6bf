/** Headers as they may be shown and kept: credentials are masked. */

const secretNames: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
]);

/** By name as it was written; a name that comes several times has all its values, with commas between. */
export function redactHeaders(flat: readonly string[]): Record<string, string> {
  const shown = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = flat[index] ?? '';
    const lower = name.toLowerCase();
    const value = secretNames.has(lower) ? '[REDACTED]' : (flat[index + 1] ?? '');
    const known = shown.get(lower);
    if (known === undefined) shown.set(lower, { name, values: [value] });
    else known.values.push(value);
  }
  return Object.fromEntries([...shown.values()].map(({ name, values }) => [name, values.join(', ')]));
}
