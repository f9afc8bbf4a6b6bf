/** The configuration that engines found on this machine make, in place of a file. */
import { loadConfigText, type LoadOptions, type LoadResult } from '../config/load.ts';
import type { DiscoveredEngine } from '../engines/discovery.ts';

export function configOfFound(
  found: readonly DiscoveredEngine[],
  inPlace: Pick<LoadOptions, 'listen' | 'tls'> = {},
): LoadResult {
  const backends = Object.fromEntries(found.map(({ id, url, kind }) => [id, { url, engine: kind.name }]));
  return loadConfigText({ file: 'discovery', env: {}, text: JSON.stringify({ backends }), ...inPlace });
}
