/**
 * The way from one member's answer to the client of an ensemble: in the client's dialect, under the ensemble's name, with
 * the usage of all. Decides nothing about which member that is; ends the client's request exactly once.
 */
import { dialects } from '../../dialects/index.ts';
import type { ModelRequest } from '../../dialects/ir/request.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { TranslatableRoute } from '../../domain/routes.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import { notesIn } from '../answer-notes.ts';
import type { GatewayParts } from '../gateway.ts';
import { toResponseHeaders } from '../headers.ts';
import type { Inbound } from '../inbound.ts';
import { hasToldLimits, tellLimits } from '../keys/limit-headers.ts';
import { AnswerTranslation } from '../translation/answer-translation.ts';
import type { Conversation } from '../translation/conversation.ts';
import { dialectRoutes } from '../translation/dialect-routes.ts';
import { contextOf } from '../translation/translate.ts';
import type { EnsembleHost } from './ensemble-host.ts';
import { withUsageBefore, type UsageSum } from './usage-sum.ts';

export interface RelayedAnswer {
  readonly status: number;
  /** Names and values alternating. */
  readonly headers: readonly string[];
  readonly body: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** Of its request; undefined: the body is there and cannot break off. */
  readonly record: Readonly<RequestRecord> | undefined;
  /** What the member could not be told, by its name in the request. */
  readonly dropped: readonly string[];
}

export interface MemberRelayOptions {
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
  readonly host: EnsembleHost;
  /** Of the client, and of the members. */
  readonly routes: { readonly client: TranslatableRoute; readonly member: TranslatableRoute };
  /** As the client meant it. */
  readonly asked: ModelRequest;
  readonly conversation: Conversation | undefined;
  /** Of all requests before this one. */
  readonly usage: UsageSum;
  readonly signal: AbortSignal;
}

export class MemberRelay {
  readonly #options: MemberRelayOptions;

  constructor(options: MemberRelayOptions) {
    this.#options = options;
  }

  /** Ends the client's request. Rejects with what `signal` was aborted with. */
  async pass(answer: RelayedAnswer): Promise<void> {
    const { host, signal } = this.#options;
    const transform = this.#translation();
    this.#begin(answer, transform);
    try {
      for await (const chunk of answer.body) {
        if (!host.answer.push(chunk, false)) await this.#drained();
      }
    } catch (thrown) {
      signal.throwIfAborted();
      const error = whyBroken(answer, thrown);
      if (host.answer.begun) host.brokeOff(error, transform.error !== undefined);
      else host.fail(error, 'failed_before_first_byte');
      return;
    }
    this.#end();
  }

  #translation(): AnswerTranslation {
    const { parts, host, asked, routes, conversation, usage } = this.#options;
    const { clock } = parts;
    const { id: requestId, requested: said, startedEpochMs: arrivedEpochMs } = host.record;
    return new AnswerTranslation({
      client: withUsageBefore(dialects[dialectRoutes[routes.client].dialect], usage.sum),
      engine: dialects[dialectRoutes[routes.member].dialect],
      context: contextOf({ clock, said, requestId, arrivedEpochMs }, asked),
      stream: asked.stream,
      splitThoughts: false,
      notes: notesIn(host.record),
      onAnswer: conversation?.keep,
      isAccounted: false,
    });
  }

  #begin({ status, headers: received, record, dropped }: RelayedAnswer, transform: AnswerTranslation): void {
    const { parts, inbound, host } = this.#options;
    const { key, response, route } = inbound;
    const { clock, keyMeter } = parts;
    if (!response.headersSent) {
      tellLimits(response, keyMeter, { key, dialect: route.dialect, nowEpochMs: clock.epochMs() });
    }
    const headers = toResponseHeaders(received, {
      requestId: host.record.id,
      backend: record?.backend,
      attempts: undefined,
      dropped,
      repaired: [],
      limitsTold: key !== undefined && hasToldLimits(key),
    });
    host.answer.head({ status, received, headers, doneRequired: false, transform, mayLackRoute: false });
  }

  /** Until the client has read what it was sent, or has left. */
  async #drained(): Promise<void> {
    const { inbound, signal } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const go = (): void => resolve();
    inbound.response.onDrain(go);
    signal.addEventListener('abort', go, { once: true });
    await promise;
    signal.removeEventListener('abort', go);
  }

  #end(): void {
    const { host } = this.#options;
    const end = host.answer.end();
    if (end.kind === 'broken') host.brokeOff(end.error, true);
    else if (end.kind === 'passed') host.finish(end.isError ? 'passed_through_error' : 'completed');
    else {
      host.answer.tryPassRefusal();
      host.finish('passed_through_error');
    }
  }
}

/** What the request says of itself is more than that its answer broke off. */
function whyBroken({ record }: RelayedAnswer, thrown: unknown): LlameroError {
  const { errorCode, errorMessage } = record ?? {};
  if (errorCode === undefined || errorMessage === undefined) return LlameroError.from(thrown);
  return new LlameroError(errorCode, errorMessage);
}
