/** What a start without a configuration says of the engines it found, or of what to do when there are none. */
import type { DiscoveredEngine } from '../engines/discovery.ts';
import { engineKinds } from '../engines/kinds/index.ts';

/** Whole lines, the last one ended. */
export function discoveryText(found: readonly DiscoveredEngine[]): string {
  if (found.length > 0) return found.map(foundLine).join('');
  const ports = Object.values(engineKinds).flatMap(({ title, port }) =>
    port === undefined ? [] : [`  ${title.padEnd(18)} http://127.0.0.1:${port}`],
  );
  return (
    `No engine answers at its usual address:\n${ports.join('\n')}\n\n` +
    'Start one of them, or write a llamero.yaml:\n\n' +
    'backends:\n  gpu-box:\n    url: http://192.0.2.10:8080\n\n' +
    'To see Llamero at work without any engine: llamero demo\n'
  );
}

function foundLine({ id, url, kind, models, problem }: DiscoveredEngine): string {
  const offer = models.length === 0 ? 'no models' : models.join(', ');
  return `Found ${kind.title} at ${url} as '${id}': ${problem ?? offer}\n`;
}
