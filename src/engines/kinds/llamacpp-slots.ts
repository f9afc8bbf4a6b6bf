/**
 * The slots of one llama-server (or of one model behind a router-mode server): how many, how many busy, asleep or not.
 * Asks only what neither wakes a sleeping server nor loads a model.
 */
import type { ProbeClient, ProbeRound } from '../engine-kind.ts';
import { tryGet } from './probing.ts';
import { asObject, asObjects, asPositive } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

export interface SlotsAnswer {
  readonly total: number | undefined;
  readonly busy: number | undefined;
  readonly sleeping: boolean;
  /** Tokens that one slot holds. */
  readonly contextTokens: number | undefined;
}

export interface SlotsQuestion {
  /** Its answer to `/props`; without it nothing else is asked, for it may be asleep. */
  readonly props: JsonObject | undefined;
  /** Empty, or `?model=…` for one model of a router-mode server. */
  readonly query: string;
  readonly round: ProbeRound;
}

export async function readSlots(client: ProbeClient, question: SlotsQuestion): Promise<SlotsAnswer> {
  const { props, query, round } = question;
  if (props === undefined) {
    return { total: undefined, busy: undefined, sleeping: false, contextTokens: undefined };
  }
  const total = asPositive(props['total_slots']);
  const sleeping = props['is_sleeping'] === true;
  const contextTokens = asPositive(asObject(props['default_generation_settings'])?.['n_ctx']);
  if (sleeping) return { total, busy: 0, sleeping, contextTokens };
  // `/slots` restarts the idle timer, `/metrics` (off by default) does not.
  if (props['endpoint_metrics'] === true) {
    const busy = await busyFromMetrics(client, query);
    if (busy !== undefined) return { total, busy, sleeping, contextTokens };
  }
  if (props['endpoint_slots'] === false || !round.mayStir) {
    return { total, busy: undefined, sleeping, contextTokens };
  }
  const answer = await tryGet(client, `/slots${query}`);
  const slots = answer?.status === 200 ? asObjects(answer.json) : undefined;
  return {
    total: total ?? asPositive(slots?.length),
    busy: slots?.filter((slot) => slot['is_processing'] === true).length,
    sleeping,
    contextTokens,
  };
}

async function busyFromMetrics(client: ProbeClient, query: string): Promise<number | undefined> {
  const answer = await tryGet(client, `/metrics${query}`);
  if (answer?.status !== 200) return undefined;
  const processing = /^llamacpp:requests_processing (\d+)/m.exec(answer.text);
  const deferred = /^llamacpp:requests_deferred (\d+)/m.exec(answer.text);
  return processing === null ? undefined : Number(processing[1]) + Number(deferred?.[1] ?? 0);
}
