/** What could be better about how an Ollama runs, as far as its API tells. Loads nothing. */
import type { EngineAdvice, ProbeClient } from '../engine-kind.ts';
import { tryGetObject } from './probing.ts';
import { asCount, asObjects, asText } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

/** Which version first had a route that requests go to as they are (Ollama's release notes). */
const routesSince = [
  { route: '/v1/responses', version: '0.13.3' },
  { route: '/v1/messages', version: '0.14.0' },
] as const;

export async function adviseOllama(client: ProbeClient): Promise<readonly EngineAdvice[]> {
  const [version, running] = await Promise.all([
    tryGetObject(client, '/api/version'),
    tryGetObject(client, '/api/ps'),
  ]);
  const models = asObjects(running?.['models']) ?? [];
  return [...adviseOnVersion(asText(version?.['version'])), ...models.flatMap(adviseOnMemory)];
}

function adviseOnVersion(version: string | undefined): EngineAdvice[] {
  if (version === undefined) return [];
  const missing = routesSince.filter((since) => isOlder(version, since.version));
  const last = missing.at(-1);
  if (last === undefined) return [];
  const routes = missing.map(({ route }) => route).join(' and ');
  return [
    {
      level: 'warning',
      saw: `version ${version} has no ${routes}`,
      change: `install ${last.version} or newer`,
    },
  ];
}

/** What does not fit into the GPU is computed by the processor, many times slower. */
function adviseOnMemory(model: JsonObject): EngineAdvice[] {
  const [total, onGpu] = [asCount(model['size']), asCount(model['size_vram'])];
  if (total === undefined || onGpu === undefined || onGpu === 0 || onGpu >= total) return [];
  const percent = Math.floor((100 * onGpu) / total);
  return [
    {
      level: 'warning',
      saw: `${asText(model['name']) ?? 'a model'} is only to ${percent} % in GPU memory, the rest runs on the processor`,
      change: 'a smaller quantization, a shorter context (OLLAMA_CONTEXT_LENGTH) or less OLLAMA_NUM_PARALLEL',
    },
  ];
}

/** Compares numbers between dots; what follows them (`-rc1`) does not count. Development builds (`0.0.0`) are new. */
function isOlder(version: string, other: string): boolean {
  const [own, wanted] = [version, other].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  if (
    own === undefined ||
    wanted === undefined ||
    own.some(Number.isNaN) ||
    own.every((part) => part === 0)
  ) {
    return false;
  }
  for (const [index, part] of wanted.entries()) {
    const difference = (own[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
