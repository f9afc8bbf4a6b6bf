/**
 * Start-time fair queueing: hands out the tags by which flows take turns. Time is kept per model, because the models of
 * one fleet are served at different speeds: on one common clock a fast model would make latecomers of everybody who
 * asks for a slow one. Remembers a model and a flow only while something of theirs waits.
 */
import type { FlowId, ModelName } from '../domain/ids.ts';

/** What a flow has used of a model; exists while something of it waits. */
export interface FlowShare {
  readonly flow: FlowId;
  readonly ofModel: ModelShare;
  lastTag: number;
  waiting: number;
}

interface ModelShare {
  readonly model: ModelName | undefined;
  readonly flows: Map<FlowId, FlowShare>;
  virtualTime: number;
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

  /** A request with this tag waits now. Returns what is to be told when it does no longer. */
  entered(model: ModelName | undefined, flow: FlowId, tag: number): FlowShare {
    let ofModel = this.#models.get(model);
    if (ofModel === undefined) {
      ofModel = { model, flows: new Map(), virtualTime: this.#latest };
      this.#models.set(model, ofModel);
    }
    let share = ofModel.flows.get(flow);
    if (share === undefined) {
      share = { flow, ofModel, lastTag: tag, waiting: 0 };
      ofModel.flows.set(flow, share);
    }
    share.lastTag = Math.max(share.lastTag, tag);
    share.waiting += 1;
    return share;
  }

  /** A request that waited was served: virtual time moves on to its tag. */
  served({ ofModel }: FlowShare, tag: number): void {
    this.#latest = Math.max(this.#latest, tag);
    ofModel.virtualTime = Math.max(ofModel.virtualTime, tag);
  }

  /** A request waits no longer, served or not. A flow without any is forgotten, and what it gave up is not held against it. */
  left(share: FlowShare): void {
    const { flow, ofModel } = share;
    share.waiting -= 1;
    if (share.waiting > 0) return;
    ofModel.flows.delete(flow);
    if (ofModel.flows.size === 0) this.#models.delete(ofModel.model);
  }
}
