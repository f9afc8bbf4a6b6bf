/** The second chance of a request for a model that nobody knows: it comes again when backends were asked for their lists. */
import type { Rejection } from '../scheduler/effects.ts';
import type { RequestRecord } from '../store/request-record.ts';
import type { GatewayParts } from './gateway.ts';
import type { Waiter } from './placer.ts';
import type { Resolved } from './resolve.ts';

/** True: the waiter is answered again. False: the rejection stands. */
export function tryLookAgain(
  { rediscovery }: Pick<GatewayParts, 'rediscovery'>,
  { reason }: Rejection,
  resolved: Resolved | undefined,
  waiter: Waiter & { readonly record: RequestRecord },
): boolean {
  const model = resolved?.facts.model;
  if (reason !== 'modelUnknown' || resolved === undefined || model === undefined) return false;
  const looked = rediscovery.tryLookFor(model);
  if (looked === undefined) return false;
  void looked.then(() => {
    // Its client may have left in the meantime.
    if (waiter.record.outcome === undefined) resolved.placer.arrive(resolved.facts, waiter);
  });
  return true;
}
