/** On which backends a call that changes models is done: whom it names, else whom the configuration does. Asks nobody. */
import type { JsonObject } from '../../dialects/ir/request.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { Backend } from '../../engines/backend.ts';
import { headerValue } from '../headers.ts';
import { hasOllamaApi, ollamaBackends } from './backends.ts';
import type { SurfaceCall } from './call.ts';

const header = 'x-llamero-backends';
const member = 'backends';

/** In configuration order where the call names none, dead ones included. @throws LlameroError */
export function managedBackends(call: SurfaceCall, body: JsonObject = {}): readonly Backend[] {
  const named = namedBackends(call, body);
  if (named === undefined) return managedByDefault(call);
  for (const backend of named) {
    const why = whyUnmanaged(backend);
    if (why !== undefined) throw new LlameroError('not_supported', why, { param: member });
  }
  return named;
}

/** Those of the configuration. @throws LlameroError */
export function managedByDefault({ parts }: SurfaceCall): readonly Backend[] {
  const { management } = parts.config();
  const all = ollamaBackends(parts);
  if (management === 'all') return all;
  const managed = all.filter(({ id }) => management.includes(id));
  if (managed.length > 0) return managed;
  throw new LlameroError('not_supported', 'None of the backends under management is an Ollama');
}

/** Whom the call names, of whatever kind: `?backends=`, else the header, else the body. undefined = nobody. @throws LlameroError */
export function namedBackends(
  { parts, request }: SurfaceCall,
  body: JsonObject,
): readonly Backend[] | undefined {
  const query = queryOf(request.url).get(member) ?? undefined;
  const said = query ?? headerValue(request.rawHeaders, header) ?? body[member];
  if (said === undefined) return undefined;
  const names = namesIn(said);
  if (names.length === 0) {
    throw new LlameroError('request_malformed', 'backends must name one backend or more', { param: member });
  }
  return [...new Set(names)].map((name) => {
    const backend = parts.registry.get(name);
    if (backend !== undefined) return backend;
    throw new LlameroError('request_malformed', `There is no backend '${name}'`, { param: member });
  });
}

/** Why its models cannot be changed; undefined = they can. */
export function whyUnmanaged(backend: Backend): string | undefined {
  if (hasOllamaApi(backend)) return undefined;
  const { id, kind, isPeer } = backend;
  if (isPeer === true) return `Backend '${id}' is a peer, which manages its own models`;
  return `Backend '${id}' is a ${kind.title} server, which serves what it was started with`;
}

/** What Ollamas are to get of a body. */
export function withoutBackends({ [member]: _backends, ...rest }: JsonObject): JsonObject {
  return rest;
}

export function queryOf(url = '/'): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

function namesIn(said: unknown): readonly string[] {
  const names = typeof said === 'string' ? said.split(',') : said;
  if (!Array.isArray(names)) return [];
  return names.flatMap((name) => (typeof name === 'string' && name.trim() !== '' ? [name.trim()] : []));
}
