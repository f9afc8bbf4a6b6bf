/**
 * What a call that changes models would do, backend by backend, told in place of doing it. Only asks for lists and for
 * files by their digest: nothing changes anywhere.
 */
import type { JsonObject } from '../../dialects/ir/request.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { Backend } from '../../engines/backend.ts';
import { headerValue } from '../headers.ts';
import { askBackend } from './backends.ts';
import { isDigest } from './blobs.ts';
import { sendJson } from './call.ts';
import type { SurfaceCall } from './call.ts';
import { takeInventory } from './inventory.ts';
import type { Inventory } from './inventory.ts';
import { managedByDefault, namedBackends, queryOf, whyUnmanaged } from './managed-backends.ts';

export type ManagementVerb = 'pull' | 'push' | 'create' | 'copy' | 'delete';

export interface PlannedCall {
  readonly verb: ManagementVerb;
  /** The model that would come, change or go. */
  readonly model: string;
  readonly body: JsonObject;
  /** Of the backends that it could be done on, the one that it would be; absent = all. */
  readonly chosen?: (backends: readonly Backend[]) => Backend;
}

/** What one backend would do, with the reason where that is not plain. */
interface Step {
  /** The verb; `update`: it has the model; `replace`: another one of that name goes; `nothing`; `fail`. */
  readonly would: ManagementVerb | 'update' | 'replace' | 'nothing' | 'fail';
  readonly reason?: string;
  /** Of what it has of that name now. */
  readonly digest?: string | undefined;
  /** That would come, be sent, or be freed at most, where anybody knows. */
  readonly bytes?: number | undefined;
  /** The model is in memory there. */
  readonly loaded?: boolean;
}

/** `?plan=true` or `x-llamero-plan: true`. @throws LlameroError when it is neither true nor false: nobody may guess. */
export function wantsPlan({ request }: SurfaceCall): boolean {
  const said = queryOf(request.url).get('plan') ?? headerValue(request.rawHeaders, 'x-llamero-plan');
  if (said === null || said === undefined || said === 'false') return false;
  if (said === 'true') return true;
  throw new LlameroError('request_malformed', 'plan must be true or false', { param: 'plan' });
}

/** Answers with the steps. @throws LlameroError */
export async function answerPlan(call: SurfaceCall, planned: PlannedCall): Promise<void> {
  const backends = namedBackends(call, planned.body) ?? managedByDefault(call);
  const managed = backends.filter((backend) => whyUnmanaged(backend) === undefined);
  const inventories = await Promise.all(managed.map((backend) => takeInventory(backend, call)));
  const steps = await Promise.all(
    backends.map(async (backend) => ({
      backend: backend.id,
      ...(await stepOf(backend, { call, planned, managed, inventories })),
    })),
  );
  sendJson(call, 200, { plan: planned.verb, model: planned.model, backends: steps });
}

interface Outlook {
  readonly call: SurfaceCall;
  readonly planned: PlannedCall;
  readonly managed: readonly Backend[];
  readonly inventories: readonly Inventory[];
}

async function stepOf(backend: Backend, outlook: Outlook): Promise<Step> {
  const { planned, managed, inventories } = outlook;
  const unmanaged = whyUnmanaged(backend);
  if (unmanaged !== undefined) return { would: 'fail', reason: unmanaged };
  const chosen = planned.chosen?.(managed);
  if (chosen !== undefined && chosen !== backend) {
    return { would: 'nothing', reason: `'${chosen.id}' does it` };
  }
  const inventory = inventories.find((one) => one.backend === backend);
  if (inventory === undefined || inventory.failure !== undefined) {
    return { would: 'fail', reason: `it does not say what it has: ${inventory?.failure ?? 'no answer'}` };
  }
  switch (planned.verb) {
    case 'pull':
      return pullStep(inventory, outlook);
    case 'push':
      return pushStep(inventory, planned.model);
    case 'create':
      return createStep(inventory, outlook);
    case 'copy':
      return copyStep(inventory, planned);
    case 'delete':
      return deleteStep(inventory, planned.model);
  }
}

function pullStep(inventory: Inventory, { planned: { model }, inventories }: Outlook): Step {
  const kept = inventory.find(model);
  if (kept !== undefined) {
    const { digest } = kept;
    const others = inventories.filter((one) => one !== inventory && one.find(model) !== undefined);
    const differing = others.filter((one) => one.find(model)?.digest !== digest);
    const reason =
      differing.length === 0
        ? 'it has the model: only what has changed in the library comes'
        : `it has the model, but not the same as ${namesOf(differing)}: what has changed in the library comes`;
    return { would: 'update', reason, digest, loaded: inventory.isLoaded(model) };
  }
  const elsewhere = inventories.map((one) => one.find(model)).find((one) => one?.bytes !== undefined);
  return { would: 'pull', bytes: elsewhere?.bytes };
}

function pushStep(inventory: Inventory, model: string): Step {
  const kept = inventory.find(model);
  if (kept === undefined) return { would: 'fail', reason: 'it does not have the model' };
  return { would: 'push', digest: kept.digest, bytes: kept.bytes };
}

async function createStep(inventory: Inventory, { call, planned }: Outlook): Promise<Step> {
  const { body, model } = planned;
  const missing = await missingFiles(inventory.backend, { call, body });
  if (missing.length > 0) return { would: 'fail', reason: `it lacks the files ${missing.join(', ')}` };
  const { from } = body;
  const kept = inventory.find(model);
  const would = kept === undefined ? 'create' : 'replace';
  if (typeof from === 'string' && inventory.find(from) === undefined) {
    return { would, reason: `it pulls '${from}' first`, digest: kept?.digest };
  }
  return { would, digest: kept?.digest };
}

function copyStep(inventory: Inventory, { body, model }: PlannedCall): Step {
  const source = String(body['source']);
  const kept = inventory.find(source);
  if (kept === undefined) return { would: 'nothing', reason: `it does not have '${source}'` };
  const old = inventory.find(model);
  if (old === undefined) return { would: 'copy', digest: kept.digest };
  return { would: 'replace', reason: `it has another '${model}'`, digest: old.digest };
}

function deleteStep(inventory: Inventory, model: string): Step {
  const kept = inventory.find(model);
  if (kept === undefined) return { would: 'nothing', reason: 'it does not have the model' };
  return { would: 'delete', ...kept, loaded: inventory.isLoaded(model) };
}

/** Digests of the files that a model would be created from and that were not sent there. */
async function missingFiles(
  backend: Backend,
  { call, body }: { readonly call: SurfaceCall; readonly body: JsonObject },
): Promise<readonly string[]> {
  const digests = [body['files'], body['adapters']].flatMap((files) =>
    isObject(files) ? Object.values(files).filter((digest) => typeof digest === 'string') : [],
  );
  const missing = await Promise.all(
    digests.map(async (digest) => {
      if (!isDigest(digest)) return [digest];
      const path = `/api/blobs/${digest}`;
      const { status } = await askBackend(backend, { method: 'HEAD', path, call });
      return status === 200 ? [] : [digest];
    }),
  );
  return missing.flat();
}

function namesOf(inventories: readonly Inventory[]): string {
  return inventories.map(({ backend }) => `'${backend.id}'`).join(', ');
}
