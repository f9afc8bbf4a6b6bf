/**
 * Which slot of an engine that keeps a prompt cache per slot a request is told to use, so that a conversation finds its own
 * again. Names only slots that are idle as far as this router knows, for an engine lets a request wait for the slot it
 * names; believes that each slot has what it was last sent.
 */
import type { PromptChain } from '../domain/prompt-chain.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { Ledger } from './ledger.ts';
import type { SchedulerSettings } from './settings.ts';

/** A slot in use by a granted request. */
export interface SlotUse {
  /** As the engine numbers them, from 0; undefined = the engine chooses. */
  readonly id: number | undefined;
  readonly backend: BackendSlots;
  readonly request: Pick<RequestFacts, 'prompt' | 'session'>;
}

interface BackendSlots {
  readonly epoch: number;
  readonly slots: Slot[];
  /** Running requests that use a slot nobody here knows. */
  unnamed: number;
}

interface Slot {
  readonly id: number;
  isBusy: boolean;
  /** What it has; undefined = nothing that is worth keeping. */
  prompt: PromptChain | undefined;
  session: string | undefined;
  /** Number of its last use; 0 = it was never used. */
  lastUse: number;
}

/**
 * Share of what a slot has that may be lost, for the end of a long conversation that was changed. With more, conversations
 * under one system text would take their slots from each other.
 */
const lostShareMax = 1 / 16;
/** Beside that, of its own session: the last block, which ended where the conversation goes on. */
const ownBlocksMax = 1;

export class PromptSlots {
  readonly #backends = new WeakMap<Ledger, BackendSlots>();
  #isOn: boolean;
  #uses = 0;

  constructor({ namesSlots }: SchedulerSettings) {
    this.#isOn = namesSlots;
  }

  configure({ namesSlots }: SchedulerSettings): void {
    this.#isOn = namesSlots;
  }

  /** Undefined = the engine has no slots that can be named. */
  take(ledger: Ledger, request: RequestFacts): SlotUse | undefined {
    const { slotIds, epoch } = ledger.view;
    if (!this.#isOn || slotIds === undefined) return undefined;
    const backend = this.#backendOf(ledger, slotIds, epoch);
    const mayName = request.namesSlot === true && backend.unnamed === 0;
    const slot = mayName ? slotFor(request, backend.slots) : undefined;
    if (slot === undefined) backend.unnamed += 1;
    else {
      this.#uses += 1;
      slot.isBusy = true;
      slot.lastUse = this.#uses;
    }
    return { id: slot?.id, backend, request };
  }

  /** To be called once. `isRead`: the engine has read the whole prompt. */
  release({ id, backend, request }: SlotUse, isRead: boolean): void {
    const slot = id === undefined ? undefined : backend.slots[id];
    if (slot === undefined) {
      backend.unnamed -= 1;
      return;
    }
    slot.isBusy = false;
    slot.prompt = isRead ? request.prompt : undefined;
    slot.session = request.session;
  }

  /** An engine that came back, or came back with other slots, has lost what it had. */
  #backendOf(ledger: Ledger, slotIds: number, epoch: number): BackendSlots {
    const known = this.#backends.get(ledger);
    if (known?.epoch === epoch && known.slots.length === slotIds) return known;
    const slots = Array.from({ length: slotIds }, (_, id) => ({
      id,
      isBusy: false,
      prompt: undefined,
      session: undefined,
      lastUse: 0,
    }));
    const backend = { epoch, slots, unnamed: 0 };
    this.#backends.set(ledger, backend);
    return backend;
  }
}

/** The idle slot that has the conversation, else the one least recently used; undefined = none is idle. */
function slotFor({ prompt, session }: SlotUse['request'], slots: readonly Slot[]): Slot | undefined {
  let own: Slot | undefined;
  let ownDepth = 0;
  let oldest: Slot | undefined;
  for (const slot of slots) {
    if (slot.isBusy) continue;
    if (oldest === undefined || slot.lastUse < oldest.lastUse) oldest = slot;
    if (prompt === undefined || slot.prompt === undefined) continue;
    const depth = sharedBlocks(prompt, slot.prompt);
    const blocks = slot.prompt.ends.length;
    const isOwn = session !== undefined && session === slot.session;
    const lostMax = blocks * lostShareMax + (isOwn ? ownBlocksMax : 0);
    if (depth > ownDepth && blocks - depth <= lostMax) {
      own = slot;
      ownDepth = depth;
    }
  }
  return own ?? oldest;
}

/** How many first blocks two prompts share. Each hash stands for all before it, so the place can be found by halving. */
function sharedBlocks(one: PromptChain, other: PromptChain): number {
  let same = 0;
  let beyond = Math.min(one.ends.length, other.ends.length) + 1;
  while (beyond - same > 1) {
    const depth = (same + beyond) >> 1;
    const at = (depth - 1) * 2;
    if (one.hashes[at] === other.hashes[at] && one.hashes[at + 1] === other.hashes[at + 1]) same = depth;
    else beyond = depth;
  }
  return same;
}
