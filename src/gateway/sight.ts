/**
 * Keeps requests with images away from models that cannot see, as far as their engines say so. Decides by the request and
 * by what is known of the fleet; whether a model that was not asked can see is left to its engine.
 */
import { hasImages } from '../dialects/repair/without-images.ts';
import type { ModelRequest } from '../dialects/ir/request.ts';
import { LlameroError } from '../domain/errors.ts';
import type { BackendId } from '../domain/ids.ts';
import type { RouteName, TranslatableRoute } from '../domain/routes.ts';
import type { Backend } from '../engines/backend.ts';
import { isPlain, isUp, type Fleet } from './fleet.ts';
import type { Meaning } from './name-resolver.ts';
import { isDialectRoute } from './translation/dialect-routes.ts';
import { tryReadModelRequest } from './translation/read-request.ts';

export interface SightSource {
  readonly route: RouteName;
  /** undefined = the request names none. */
  readonly meaning: Pick<Meaning, 'model' | 'alternatives'> | undefined;
  readonly body: Buffer;
  /** The body, where it was read before. */
  readonly asked: ModelRequest | undefined;
  /** Backends that may get the request; undefined = all of them. */
  readonly only: ReadonlySet<BackendId> | undefined;
}

/** What stands in every body with an image. Text cannot hold it, as its quotes are escaped there. */
const marks: Readonly<Record<TranslatableRoute, string>> = {
  'chat-completions': '"image_url"',
  completions: '"image_url"',
  responses: '"input_image"',
  messages: '"image"',
  'ollama-chat': '"images"',
  'ollama-generate': '"images"',
};

/** The backends that are left; an error where none is. The same set object as long as the fleet is the same. */
export function onlySeeing(
  fleet: Fleet,
  { route, meaning, body, asked, only }: SightSource,
): ReadonlySet<BackendId> | LlameroError | undefined {
  // The backends of other names it may go by are not known here.
  if (meaning === undefined || meaning.alternatives.length > 0 || !isDialectRoute(route)) return only;
  const { model } = meaning;
  const seeing = fleet.seeing(route, model);
  if (seeing === undefined || !body.includes(marks[route])) return only;
  const request = asked ?? tryReadModelRequest(route, body);
  if (request === undefined || !hasImages(request)) return only;
  const serving = fleet.names().get(model) ?? [];
  if (serving.some((backend) => seeing.has(backend.id) && isWithinReach(backend))) return seeing;
  if (seeing.size > 0 || serving.some(({ config }) => config.repairs.dropImages)) return only;
  return new LlameroError('images_not_supported', `Model '${model}' does not support image input`);
}

function isWithinReach(backend: Backend): boolean {
  return !isPlain(backend) || isUp(backend);
}
