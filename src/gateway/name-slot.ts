/** Tells an engine which of its slots to use for a request. Only llama-server has a word for it. */
import { patchJsonObject } from '../base/json-patch.ts';
import { lastMember, scanJsonObject } from '../base/json-scan.ts';
import type { RouteName } from '../domain/routes.ts';

/** Routes on which llama-server reads the member; its Messages and Responses APIs leave it out. */
export const slotNamingRoutes: ReadonlySet<RouteName> = new Set([
  'chat-completions',
  'completions',
  'native-completion',
]);

const member = 'id_slot';

/** A client that names a slot itself has its way. The same buffer where nothing is to be said. */
export function nameSlot(body: Buffer, slot: number | undefined): Buffer {
  if (slot === undefined) return body;
  const object = scanJsonObject(body);
  if (object === undefined || lastMember(object, member) !== undefined) return body;
  return patchJsonObject(body, { set: { [member]: String(slot) } }, object) ?? body;
}
