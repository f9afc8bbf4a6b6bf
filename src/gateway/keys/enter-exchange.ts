/** Where a request that is about to queue meets the limits of its key. Remembers nothing: the pass goes to the exchange. */
import type { LlameroError } from '../../domain/errors.ts';
import type { Inbound } from '../inbound.ts';
import type { GatewayParts } from '../gateway.ts';
import type { Resolved } from '../resolve.ts';
import { estimateCost } from './cost-estimate.ts';
import { enterWithKey, type KeyPass } from './key-pass.ts';
import { tellLimits } from './limit-headers.ts';

/** undefined: the caller needs no key, so nothing is counted. */
export function enterExchange(
  { keyMeter, clock }: GatewayParts,
  { key, route, response }: Inbound,
  body: Buffer,
  { peeked }: Resolved,
): KeyPass | LlameroError | undefined {
  if (key === undefined) return undefined;
  const pass = enterWithKey(keyMeter, key, estimateCost(route, body, peeked));
  tellLimits(response, keyMeter, { key, dialect: route.dialect, nowEpochMs: clock.epochMs() });
  return pass;
}
