/**
 * Start-time fair queueing: hands out the tags by which flows take turns. Time is kept per model, because the models of
 * one fleet are served at different speeds: on one common clock a fast model would make latecomers of everybody who
 * asks for a slow one. Remembers a model and a flow only while something of theirs waits.
 */
import type { FlowId, ModelName } from '../domain/ids.ts';

interface FlowShare {
  lastTag: number;
  waiting: number;
}

interface ModelShare {
  virtualTime: number;
  readonly flows: Map<FlowId, FlowShare>;
}

export class FairClock {
  readonly #models = new Map<ModelName | undefined, ModelShare>();
  /** The furthest time of all models: where one starts that nobody waited for. Keeps tags comparable between models. */
  #latest = 0;

  /** Flows remembered, over all models. */
  get size(): number {
    let size = 0;
    for (const share of this.#models.values()) size += share.flows.size;
    return size;
  }

  /** The tag of the flow's next request; nothing is remembered before `entered`. */
  nextTag(model: ModelName | undefined, flow: FlowId): number {
    const share = this.#models.get(model);
    if (share === undefined) return this.#latest + 1;
    return Math.max(share.virtualTime, share.flows.get(flow)?.lastTag ?? 0) + 1;
  }

  /** A request with this tag waits now. */
  entered(model: ModelName | undefined, flow: FlowId, tag: number): void {
    let share = this.#models.get(model);
    if (share === undefined) {
      share = { virtualTime: this.#latest, flows: new Map() };
      this.#models.set(model, share);
    }
    const flowShare = share.flows.get(flow);
    if (flowShare === undefined) {
      share.flows.set(flow, { lastTag: tag, waiting: 1 });
      return;
    }
    flowShare.lastTag = Math.max(flowShare.lastTag, tag);
    flowShare.waiting += 1;
  }

  /** A request that waited was served: virtual time moves on to its tag. */
  served(model: ModelName | undefined, tag: number): void {
    this.#latest = Math.max(this.#latest, tag);
    const share = this.#models.get(model);
    if (share !== undefined) share.virtualTime = Math.max(share.virtualTime, tag);
  }

  /** A request waits no longer, served or not. A flow without any is forgotten, and what it gave up is not held against it. */
  left(model: ModelName | undefined, flow: FlowId): void {
    const share = this.#models.get(model);
    const flowShare = share?.flows.get(flow);
    if (share === undefined || flowShare === undefined) return;
    flowShare.waiting -= 1;
    if (flowShare.waiting > 0) return;
    share.flows.delete(flow);
    if (share.flows.size === 0) this.#models.delete(model);
  }

  clear(): void {
    this.#models.clear();
  }
}
