/** The headers of one request for its engine, and those of the answer for its client: headers.ts, told what this exchange knows. Pure. */
import type { Backend } from '../engines/backend.ts';
import type { RequestRecord } from '../store/request-record.ts';
import { attemptsHeader } from './attempts-header.ts';
import type { GatewayParts } from './gateway.ts';
import { toRequestHeaders, toResponseHeaders } from './headers.ts';
import type { Inbound } from './inbound.ts';
import { hasToldLimits } from './keys/limit-headers.ts';

export interface Exchanged {
  readonly parts: Pick<GatewayParts, 'signature' | 'traces'>;
  readonly inbound: Inbound;
  readonly record: RequestRecord;
  readonly backend: Backend;
}

/** For the engine. */
export function headersToSend({ parts, inbound, record, backend }: Exchanged): string[] {
  return toRequestHeaders(inbound.request.rawHeaders, {
    requestId: inbound.id,
    apiKey: backend.config.apiKey,
    signature: parts.signature,
    withheld: backend.kind.headersWithheld,
    plain: inbound.route.name !== 'other',
    trace: parts.traces?.headers(record),
    expects: backend.config.timeouts.expectContinue > 0,
  });
}

/** For the client. `received`: of the engine's answer; `dropped`: what the engine could not be told of the request. */
export function headersToAnswer(
  { inbound, record, backend }: Exchanged,
  received: readonly string[],
  dropped: readonly string[],
): string[] {
  return toResponseHeaders(received, {
    requestId: record.id,
    backend: backend.id,
    attempts: record.attempts.length > 1 ? attemptsHeader(record.attempts) : undefined,
    dropped,
    repaired: record.repairs,
    limitsTold: inbound.key !== undefined && hasToldLimits(inbound.key),
  });
}
