/**
 * One backend under watch: its probe loop, its health and what its engine last told. Rounds never overlap and wait for
 * no other backend. Does not decide where requests go.
 */
import type { BackendConfig } from '../config/schema.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { Backend, BackendFailure, ProbeStatus } from './backend.ts';
import { withoutEcho } from './echo.ts';
import { composeView, learn, noKnowledge, sameView } from './compose-view.ts';
import type { Knowledge } from './compose-view.ts';
import { ProbeFailure } from './engine-kind.ts';
import type { EngineKind, EngineReading, ProbeClient } from './engine-kind.ts';
import { createHealth, nextHealth } from './health.ts';
import type { Health, HealthEvent } from './health.ts';
import { detectEngineKind, engineKinds } from './kinds/index.ts';
import { knock } from './knock.ts';
import { ModelFailures } from './model-failures.ts';
import { createProbeClient } from './probe-client.ts';
import { isStirDue } from './stir-pace.ts';
import type { WatchContext } from './watch-context.ts';

/** Least time between two rounds, however often one is asked for. */
const roundGapMsMin = 100;

export class WatchedBackend implements Backend {
  readonly id: BackendId;
  readonly url: URL;
  readonly #context: WatchContext;
  readonly #ending = new AbortController();
  #config: BackendConfig;
  #kind: EngineKind;
  /** False while `auto` has not found out yet. */
  #kindKnown: boolean;
  #health: Health;
  readonly #failures = new ModelFailures();
  #draining = false;
  #known: Knowledge = noKnowledge;
  #view: BackendView;
  #probe: ProbeStatus = { atEpochMs: undefined, durationMs: undefined, error: undefined, failuresInRow: 0 };
  #timer: unknown;
  #knockTimer: unknown;
  #knocking: Promise<void> | undefined;
  /** Nobody listened when it was last asked. */
  #isRefused = false;
  #running: Promise<void> | undefined;
  #roundStartedMs = -Infinity;
  #againSoon = false;
  /** Those who wait for the round after the running one. */
  readonly #awaiting: (() => void)[] = [];
  /** When the engine was last seen at work or was used through this router. */
  #activeMs: number;
  #stirredMs = -Infinity;

  /** `epoch`: the first one; greater than that of a backend whose place it takes. */
  constructor(id: BackendId, config: BackendConfig, context: WatchContext, epoch = 0) {
    this.id = id;
    this.url = new URL(config.url);
    this.#context = context;
    this.#config = config;
    this.#kindKnown = config.engine !== 'auto';
    this.#kind = engineKinds[config.engine === 'auto' ? 'openai' : config.engine];
    this.#health = createHealth(epoch);
    this.#activeMs = context.clock.nowMs();
    this.#view = this.#compose();
  }

  get config(): BackendConfig {
    return this.#config;
  }

  get kind(): EngineKind {
    return this.#kind;
  }

  get view(): BackendView {
    return this.#view;
  }

  get probe(): ProbeStatus {
    return this.#probe;
  }

  get version(): string | undefined {
    return this.#known.version;
  }

  get modelObjects(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return this.#known.modelObjects ?? new Map();
  }

  /** Begins the probe loop with a round at once. */
  start(): void {
    this.#schedule(0);
  }

  /** Takes over keys that do not make it another backend, and changed defaults. */
  reconfigure(config: BackendConfig): void {
    this.#config = config;
    this.#refresh();
  }

  /** The load of its GPUs may have changed. */
  gpuLoadChanged(): void {
    this.#refresh();
  }

  /** Probe settings changed: the next round is planned anew. */
  replan(): void {
    if (this.#running === undefined) this.#schedule(this.#intervalMs());
  }

  setDraining(draining: boolean): void {
    this.#draining = draining;
    this.#refresh();
  }

  probeNow(): void {
    this.#activeMs = this.#context.clock.nowMs();
    this.#askSoon();
  }

  /** Resolves when a round that began later than this call has ended, or the watch has. Does not count as use. */
  probed(): Promise<void> {
    if (this.#ending.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#awaiting.push(resolve);
      this.#askSoon();
    });
  }

  /** `model`: the canonical name of what was asked for. */
  reportFailure(failure: BackendFailure, model?: ModelName): void {
    this.#activeMs = this.#context.clock.nowMs();
    if (model !== undefined) this.#failures.record(model, this.#activeMs);
    this.#sawEvent({ type: 'requestFailed' }, `requests failed (last: ${failure})`);
    this.#refresh();
    if (failure === 'connect') this.probeNow();
  }

  reportSuccess(model?: ModelName): void {
    this.#activeMs = this.#context.clock.nowMs();
    const before = this.#health;
    this.#sawEvent({ type: 'requestSucceeded' }, 'a request succeeded');
    const isForgiven = model !== undefined && this.#failures.forgive(model);
    if (isForgiven || this.#health !== before) this.#refresh();
  }

  /** Ends the loop; resolves when a running round has ended. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.#context.timers.clear(this.#timer);
    this.#context.timers.clear(this.#knockTimer);
    await Promise.all([this.#running, this.#knocking]);
    for (const resolve of this.#awaiting.splice(0)) resolve();
  }

  #askSoon(): void {
    if (this.#running === undefined) this.#scheduleSoon();
    else this.#againSoon = true;
  }

  #schedule(delayMs: number): void {
    if (this.#ending.signal.aborted) return;
    this.#context.timers.clear(this.#timer);
    this.#context.timers.clear(this.#knockTimer);
    if (this.#isRefused) this.#scheduleKnock(delayMs);
    this.#timer = this.#context.timers.set(() => {
      const awaiting = this.#awaiting.splice(0);
      this.#running = this.#runRound().finally(() => {
        for (const resolve of awaiting) resolve();
      });
    }, delayMs);
  }

  /** A delay before looking at a dead backend spares a sick one. One that was only started anew is back when it listens. */
  #scheduleKnock(roundInMs: number): void {
    const { timers, probes } = this.#context;
    const delayMs = Math.max(probes.interval, roundGapMsMin);
    if (delayMs >= roundInMs) return;
    this.#knockTimer = timers.set(() => {
      this.#knocking = this.#knock(roundInMs - delayMs);
    }, delayMs);
  }

  /** `roundInMs`: when it is asked anyway. */
  async #knock(roundInMs: number): Promise<void> {
    const { signal } = this.#ending;
    const isOpen = await knock(this.url, { timeoutMs: this.#context.probes.timeout, signal });
    if (signal.aborted || this.#running !== undefined) return;
    if (isOpen) this.#scheduleSoon();
    else this.#scheduleKnock(roundInMs);
  }

  #scheduleSoon(): void {
    const sinceMs = this.#context.clock.nowMs() - this.#roundStartedMs;
    this.#schedule(Math.max(0, roundGapMsMin - sinceMs));
  }

  #intervalMs(): number {
    const { interval, deadInterval } = this.#context.probes;
    const baseMs = Math.max(this.#health.state === 'dead' ? deadInterval : interval, roundGapMsMin);
    // A tenth to and fro, so that the probes of many backends do not march in step.
    return baseMs * (0.9 + 0.2 * this.#context.random.next());
  }

  async #runRound(): Promise<void> {
    const { clock, probes } = this.#context;
    this.#roundStartedMs = clock.nowMs();
    const client = createProbeClient({
      url: this.url,
      apiKey: this.#config.apiKey,
      timeoutMs: probes.timeout,
      signal: this.#ending.signal,
    });
    let error: string | undefined;
    this.#isRefused = false;
    try {
      error = await this.#readEngine(client);
    } catch (thrown) {
      if (this.#ending.signal.aborted) return;
      error = this.#sawFailure(thrown);
    }
    if (this.#ending.signal.aborted) return;
    this.#probe = {
      atEpochMs: clock.epochMs(),
      durationMs: clock.nowMs() - this.#roundStartedMs,
      error,
      failuresInRow: this.#health.probeFailures,
    };
    this.#running = undefined;
    this.#refresh();
    if (this.#againSoon) this.#scheduleSoon();
    else this.#schedule(this.#intervalMs());
    this.#againSoon = false;
  }

  /** One good round. Returns why the engine is not in service yet; undefined = it is. */
  async #readEngine(client: ProbeClient): Promise<string | undefined> {
    // What comes back from the dead need not be what died.
    if (this.#config.engine === 'auto' && (!this.#kindKnown || this.#health.state === 'dead')) {
      this.#become(await detectEngineKind(client));
    }
    const startedMs = this.#context.clock.nowMs();
    const mayStir = isStirDue(startedMs, this.#activeMs, this.#stirredMs);
    const told = await this.#kind.read(client, { mayStir });
    const { signature } = this.#context;
    const reading = signature === undefined ? told : withoutEcho(told, signature);
    if (this.#ending.signal.aborted) return undefined;
    if (mayStir) this.#stirredMs = startedMs;
    this.#learn(reading, startedMs, mayStir);
    if (reading.readiness === 'loading') {
      this.#sawEvent({ type: 'probeLoading' }, 'it is loading its model');
      return 'Engine is loading its model';
    }
    this.#sawEvent({ type: 'probeReady' }, 'its probe succeeded');
    return undefined;
  }

  #become(kind: EngineKind): void {
    if (this.#kindKnown && kind === this.#kind) return;
    this.#kind = kind;
    this.#kindKnown = true;
    this.#known = noKnowledge;
    this.#context.log.info({ backend: this.id, engine: kind.name }, 'Backend recognised');
  }

  #learn(reading: EngineReading, startedMs: number, mayStir: boolean): void {
    let slots = mayStir ? undefined : this.#known.slots;
    if (reading.slotsBusy !== undefined) slots = { busy: reading.slotsBusy, probeStartedMs: startedMs };
    if ((reading.slotsBusy ?? 0) > 0) this.#activeMs = startedMs;
    this.#known = learn(this.#known, reading, slots);
  }

  #sawFailure(thrown: unknown): string {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    if (!(thrown instanceof ProbeFailure)) {
      this.#context.log.warn({ backend: this.id, err: thrown }, 'Probe failed unexpectedly');
    }
    if (thrown instanceof ProbeFailure && thrown.kind === 'unasked') return message;
    this.#isRefused = thrown instanceof ProbeFailure && thrown.kind === 'refused';
    this.#sawEvent({ type: 'probeFailed', refused: this.#isRefused }, message);
    return message;
  }

  #sawEvent(event: HealthEvent, reason: string): void {
    const before = this.#health;
    this.#health = nextHealth(before, event, this.#context.probes, this.#context.clock.nowMs());
    if (this.#health.state === before.state) return;
    // A dead engine tells nothing; what it had in its slots is gone.
    if (this.#health.state === 'dead') {
      this.#known = { ...this.#known, slots: undefined };
      this.#failures.clear();
      this.#stirredMs = -Infinity;
    }
    const details = { backend: this.id, from: before.state, to: this.#health.state, reason };
    if (this.#health.state === 'dead') this.#context.log.warn(details, 'Backend is dead');
    else this.#context.log.info(details, `Backend is ${this.#health.state}`);
  }

  #compose(): BackendView {
    return composeView({
      id: this.id,
      config: this.#config,
      defaults: this.#context.defaults,
      health: this.#health,
      draining: this.#draining,
      known: this.#known,
      failing: this.#failures.within(this.#context.probes.modelFailureWindow, this.#context.clock.nowMs()),
      slotsUsual: this.kind.slotsUsual,
      sharesPrompts: this.kind.sharesPrompts,
      gpuLoad: this.#context.gpuLoadOf(this.id),
      gpuLoadElsewhere: this.#context.gpuLoadElsewhere(),
    });
  }

  #refresh(): void {
    const view = this.#compose();
    if (sameView(view, this.#view)) return;
    this.#view = view;
    this.#context.changed(view);
  }
}
