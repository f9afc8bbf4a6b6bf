/** Where a request that is about to queue meets the limits of its key. Remembers nothing: the pass goes to the exchange. */
import type { LlameroError } from '../../domain/errors.ts';
import type { Inbound } from '../inbound.ts';
import type { GatewayParts } from '../gateway.ts';
import type { Resolved } from '../resolve.ts';
import { estimateCost, type CostEstimate } from './cost-estimate.ts';
import { enterWithKey, type KeyPass } from './key-pass.ts';
import { tellLimits } from './limit-headers.ts';

/** undefined: the caller needs no key, so nothing is counted. */
export function enterExchange(
  parts: GatewayParts,
  inbound: Inbound,
  body: Buffer,
  { peeked }: Resolved,
): KeyPass | LlameroError | undefined {
  return inbound.key && enter(parts, inbound, estimateCost(inbound.route, body, peeked));
}

/** For a request that takes no tokens, so that budgets of tokens do not stop it. */
export function enterForNothing(parts: GatewayParts, inbound: Inbound): KeyPass | LlameroError | undefined {
  return enter(parts, inbound, { input: 0, output: 0 });
}

function enter(
  { keyMeter, clock }: GatewayParts,
  { key, route, response }: Inbound,
  cost: CostEstimate,
): KeyPass | LlameroError | undefined {
  if (key === undefined) return undefined;
  const pass = enterWithKey(keyMeter, key, cost);
  tellLimits(response, keyMeter, { key, dialect: route.dialect, nowEpochMs: clock.epochMs() });
  return pass;
}
