/** Lists of `NAME=value` as environment variables. */

/** The last of equal names wins, as in a shell; what is no pair is left out. */
export function environmentOf(items: readonly string[]): Record<string, string> {
  const pairs = items.flatMap((item) => {
    const at = item.indexOf('=');
    return at <= 0 ? [] : [[item.slice(0, at), item.slice(at + 1)] as const];
  });
  return Object.fromEntries(pairs);
}
