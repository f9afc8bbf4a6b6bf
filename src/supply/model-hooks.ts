/**
 * Runs the `on_load` and `on_unload` commands of models: one at a time for each model, in order, never in the way of
 * requests unless one is `required`. Owns what of them runs and waits; knows nothing of when a model is loaded.
 */
import type { Clock } from '../base/clock.ts';
import type { ResolvedHook, ResolvedModel } from '../config/models.ts';
import type { BackendLog } from '../engines/watch-context.ts';
import type { OutputLog } from '../process/output.ts';
import { runCommand, type CommandEnd } from '../process/run-command.ts';
import type { RunDeps } from '../process/run.ts';
import { splitCommand } from '../process/split-command.ts';
import { untilAborted } from '../process/until-aborted.ts';

export interface ModelHooksOptions {
  readonly run: RunDeps;
  readonly log: BackendLog;
}

export type HookEvent = 'on_load' | 'on_unload';

/** The run of a model that a hook is about. */
export interface HookSubject {
  readonly model: ResolvedModel;
  readonly pid: number;
  /** Receives what the command prints. */
  readonly output: OutputLog;
  /** Why it was unloaded. */
  readonly reason?: string;
}

/** How one command went. */
export interface HookReport {
  readonly model: string;
  readonly event: HookEvent;
  /** The program alone: its arguments may hold secrets. */
  readonly program: string;
  readonly ok: boolean;
  /** Empty = none. */
  readonly problem: string;
  readonly durationMs: number;
}

/** A model that comes and goes faster than its hooks end has its latest ones left out. */
const waitingMax = 32;

export class ModelHooks {
  readonly #options: ModelHooksOptions;
  readonly #clock: Clock;
  /** By model: what resolves when everything so far has run. */
  readonly #queues = new Map<string, { tail: Promise<unknown>; waiting: number }>();
  readonly #listeners = new Set<(report: HookReport) => void>();
  readonly #end = new AbortController();

  constructor(options: ModelHooksOptions) {
    this.#options = options;
    this.#clock = options.run.clock;
  }

  /** Called after each command. Returns the function that ends the subscription. */
  subscribe(listener: (report: HookReport) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Runs what is required before a model takes requests; resolves with the problem of the first that fails. */
  async prepare(subject: HookSubject, signal: AbortSignal): Promise<string | undefined> {
    for (const hook of subject.model.hooks.onLoad) {
      if (!hook.required) continue;
      const end = await untilAborted(this.#enqueue('on_load', hook, subject, signal), [signal]);
      if (end?.ok !== true) return `its hook '${programOf(hook)}' ${end?.problem ?? 'was cut short'}`;
    }
    return undefined;
  }

  /** The model takes requests now. */
  loaded(subject: HookSubject): void {
    for (const hook of subject.model.hooks.onLoad) {
      if (!hook.required) void this.#enqueue('on_load', hook, subject);
    }
  }

  /** Nothing of the process is left. */
  unloaded(subject: HookSubject): void {
    for (const hook of subject.model.hooks.onUnload) void this.#enqueue('on_unload', hook, subject);
  }

  /** Ends what still runs after `graceMs`, drops what waits; resolves when nothing is left. */
  async close(graceMs: number): Promise<void> {
    if (graceMs === 0) this.#end.abort();
    const timer = setTimeout(() => this.#end.abort(), graceMs);
    await Promise.all([...this.#queues.values()].map(({ tail }) => tail));
    clearTimeout(timer);
    this.#end.abort();
  }

  #enqueue(
    event: HookEvent,
    hook: ResolvedHook,
    subject: HookSubject,
    signal?: AbortSignal,
  ): Promise<CommandEnd> {
    const { id } = subject.model;
    const queue = this.#queues.get(id) ?? { tail: Promise.resolve(), waiting: 0 };
    this.#queues.set(id, queue);
    if (queue.waiting >= waitingMax) {
      const end: CommandEnd = {
        ok: false,
        problem: `was left out: ${waitingMax} others wait for this model`,
      };
      this.#tell({ model: id, event, program: programOf(hook), durationMs: 0 }, end);
      return Promise.resolve(end);
    }
    queue.waiting += 1;
    const run = queue.tail.then(async () => {
      const startedMs = this.#clock.nowMs();
      const end = await this.#run(event, hook, subject, signal);
      queue.waiting -= 1;
      if (queue.waiting === 0) this.#queues.delete(id);
      const durationMs = Math.round(this.#clock.nowMs() - startedMs);
      this.#tell({ model: id, event, program: programOf(hook), durationMs }, end);
      return end;
    });
    queue.tail = run;
    return run;
  }

  async #run(
    event: HookEvent,
    hook: ResolvedHook,
    { model, pid, output, reason }: HookSubject,
    signal?: AbortSignal,
  ): Promise<CommandEnd> {
    const { run } = this.#options;
    const split = splitCommand(hook.cmd, run.platform);
    if (!split.ok) return { ok: false, problem: `cannot be read: ${split.problem}` };
    const known: Readonly<Record<string, string>> = {
      MODEL_ID: model.id,
      PORT: String(model.port ?? ''),
      PID: String(pid),
    };
    // After the splitting: a name with a space stays one word.
    const fill = (text: string): string =>
      text.replaceAll(/\$\{(MODEL_ID|PORT|PID)\}/g, (_all, name: string) => known[name] ?? '');
    const [program, ...args] = split.words;
    const own = Object.entries(hook.env).map(([name, value]) => [name, fill(value)] as const);
    return runCommand({
      command: [fill(program), ...args.map(fill)],
      env: {
        ...Object.fromEntries(own),
        LLAMERO_HOOK: event,
        LLAMERO_MODEL: model.id,
        LLAMERO_PID: String(pid),
        LLAMERO_PORT: String(model.port ?? ''),
        LLAMERO_REASON: reason ?? '',
      },
      timeoutMs: hook.timeoutMs,
      id: model.id,
      output,
      deps: run,
      signal: AbortSignal.any([this.#end.signal, ...(signal === undefined ? [] : [signal])]),
    });
  }

  #tell(run: Omit<HookReport, 'ok' | 'problem'>, end: CommandEnd): void {
    const report: HookReport = { ...run, ok: end.ok, problem: end.ok ? '' : end.problem };
    const { log } = this.#options;
    if (report.ok) log.info({ ...report }, 'Hook is done');
    else log.warn({ ...report }, 'Hook failed');
    for (const listener of this.#listeners) listener(report);
  }
}

function programOf({ cmd }: ResolvedHook): string {
  return cmd.trim().split(/\s/, 1)[0] ?? '';
}
