/** What the scheduler may know of a request. Computed once, before it arrives there; never changes afterwards. */
import type { BackendId, FlowId, ModelName, RequestId } from './ids.ts';
import type { PromptChain } from './prompt-chain.ts';

export interface RequestFacts {
  readonly id: RequestId;
  /** The model after aliases; undefined = any live backend will do (catch-all and native routes without a model). */
  readonly model: ModelName | undefined;
  readonly flow: FlowId;
  /** Priority class: 0 is served before 1, 1 before 2 … Default 1. */
  readonly priority: number;
  /** Identity of the conversation (header or fingerprint); undefined = none, no affinity. */
  readonly session: string | undefined;
  /** The beginnings of its prompt; absent = nobody asks, or it has none worth it. */
  readonly prompt?: PromptChain | undefined;
  /** It can say which slot of its backend it wants. Absent = false. */
  readonly namesSlot?: boolean;
  /** Rough count of prompt tokens (bytes / 4), for display and cost; 0 = unknown. */
  readonly tokensEstimated: number;
  /** Takes no slot (tokenising, template, listings): granted at once on any live backend that serves the model. */
  readonly slotless: boolean;
  /** Whoever serves it makes it shorter where it does not fit. */
  readonly isTrimmed?: boolean;
  /** Part of a request that was let in before: a drain does not refuse it. */
  readonly continues?: boolean;
  /** Only these backends may serve it (a route that only some engines have); undefined = all. */
  readonly only?: ReadonlySet<BackendId> | undefined;
}
