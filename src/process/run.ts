/**
 * One run of a managed process, from the spawn until nothing of it is left. Decides how it ended; owns no state that
 * outlives it. Whoever started it is told of the steps in between.
 */
import type { Clock } from '../base/clock.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import type { Deadline } from './deadline.ts';
import { describeFailure } from './describe-failure.ts';
import { markName } from './family.ts';
import type { ProcessLedger } from './ledger.ts';
import type { OutputLog } from './output.ts';
import { isPortFree } from './ports.ts';
import type {
  ProcessExit,
  ProcessFailure,
  ProcessFailureCode,
  ProcessSpec,
  SelfEndReason,
} from './process-state.ts';
import { createCheckUrl, waitUntilReady } from './readiness.ts';
import { splitCommand } from './split-command.ts';
import { untilAborted } from './until-aborted.ts';

export interface RunDeps {
  readonly clock: Clock;
  /** The environment that children inherit. */
  readonly env: NodeJS.ProcessEnv;
  /** Where running children are written down, so that a killed router leaves no orphans. */
  readonly ledger: ProcessLedger;
  readonly platform: NodeJS.Platform;
  /**
   * Done when the child answers, before it counts as ready. Resolves with the problem, if there is one, or when `signal` is
   * aborted, as soon as it can. Never rejects.
   */
  readonly beforeReady?: (child: {
    readonly pid: number;
    readonly signal: AbortSignal;
  }) => Promise<string | undefined>;
}

export interface RunOptions {
  readonly spec: ProcessSpec;
  readonly deps: RunDeps;
  readonly output: OutputLog;
  /** In the environment of everyone who belongs to this run; unique. */
  readonly mark: string;
  /** Asks the run to end. */
  readonly stop: AbortSignal;
  /** When ending turns into killing. Set by whoever aborts `stop`; set here when the run ends by itself. */
  readonly killAt: Deadline;
  readonly events: RunEvents;
}

export interface RunEvents {
  spawned(pid: number): void;
  ready(pid: number): void;
  /** It ended or failed by itself; what is left of it is being ended. Not called after `stop`. */
  selfEnded(reason: SelfEndReason): void;
  /** Something survives SIGKILL. `failure` as it will be in the end, without the exit. */
  stuck(failure: ProcessFailure | undefined): void;
}

export interface RunEnd {
  /** undefined = it was stopped. */
  readonly failure: ProcessFailure | undefined;
  /** undefined = the program never ran. */
  readonly exit: ProcessExit | undefined;
}

/** Resolves when the child and everything it started are gone. Never rejects. */
export async function runProcess(options: RunOptions): Promise<RunEnd> {
  const { spec, deps, stop, killAt, events } = options;
  const startedAtMs = deps.clock.nowMs();
  const plan = planRun(spec, deps.platform);
  if (typeof plan === 'string') return neverRan(spec, plan);
  if (spec.port !== undefined && !(await isPortFree(spec.port))) {
    return neverRan(spec, `port ${spec.port} is already in use by another program`);
  }
  if (stop.aborted) return { failure: undefined, exit: undefined };
  const child = await start(plan, options);
  if (typeof child === 'string') return neverRan(spec, child);

  const selfEnd = await serve(child, { ...options, url: plan.url, startedAtMs });
  const describe = (exit: ProcessExit | undefined): ProcessFailure | undefined =>
    selfEnd && describeFailure({ id: spec.id, ...selfEnd, exit, lastLines: child.lastLines() });
  if (selfEnd !== undefined) {
    killAt.tighten(deps.clock.nowMs() + spec.stopTimeoutMs);
    events.selfEnded(selfEndReasons[selfEnd.code]);
  }
  await child.terminate({
    killAt,
    stopCommand: stopCommandFor(child.pid, spec, deps.platform),
    onStuck: () => {
      events.stuck(describe(undefined));
    },
  });
  deps.ledger.ended(options.mark);
  const exit = await child.exited;
  return { failure: describe(exit), exit };
}

const selfEndReasons = {
  process_exited: 'exited',
  process_ready_timeout: 'readyTimeout',
  process_hook_failed: 'hookFailed',
} as const satisfies Partial<Record<ProcessFailureCode, SelfEndReason>>;

type Command = readonly [program: string, ...args: string[]];

interface RunPlan {
  readonly command: Command;
  /** undefined = ready as soon as it runs. */
  readonly url: URL | undefined;
}

/** Everything that can be known before the start, or the problem. */
function planRun(spec: ProcessSpec, platform: NodeJS.Platform): RunPlan | string {
  const command = splitCommand(spec.cmd, platform);
  if (!command.ok) return command.problem;
  try {
    return { command: command.words, url: createCheckUrl(spec.proxy, spec.checkEndpoint) };
  } catch {
    return `'${spec.proxy}' with '${spec.checkEndpoint}' is no URL`;
  }
}

/** undefined = SIGTERM; also when the command cannot be read: a stop must not fail over its spelling. */
function stopCommandFor(
  pid: number,
  { cmdStop }: ProcessSpec,
  platform: NodeJS.Platform,
): Command | undefined {
  const split = splitCommand(cmdStop.replaceAll('${PID}', String(pid)), platform);
  return split.ok ? split.words : undefined;
}

function neverRan({ id }: ProcessSpec, detail: string): RunEnd {
  const code = 'process_spawn_failed';
  return { failure: describeFailure({ id, code, exit: undefined, lastLines: [], detail }), exit: undefined };
}

/** The running child, or the problem. */
async function start(
  plan: RunPlan,
  { spec, deps, output, mark, events }: RunOptions,
): Promise<Child | string> {
  const { env, ledger, platform } = deps;
  // Before the program runs: from here on a kill -9 of the router leaves nothing that is not written down.
  ledger.expected({ mark, id: spec.id, port: spec.port, stopTimeoutMs: spec.stopTimeoutMs });
  const started = await startChild({
    command: plan.command,
    env: { ...env, ...spec.env, [markName]: mark },
    cwd: spec.cwd,
    mark,
    output,
    platform,
  });
  if (started.type === 'failed') {
    ledger.ended(mark);
    return started.problem;
  }
  ledger.started(mark, started.child.pid);
  events.spawned(started.child.pid);
  return started.child;
}

/** How a run came to its end without being stopped. */
interface SelfEnd {
  readonly code: keyof typeof selfEndReasons;
  readonly detail: string;
}

type ServeOptions = RunOptions & { readonly url: URL | undefined; readonly startedAtMs: number };

/** Resolves when the run has to end: by itself, or (undefined) because of a stop. */
async function serve(child: Child, options: ServeOptions): Promise<SelfEnd | undefined> {
  const { spec, stop, events, url, startedAtMs } = options;
  const { clock } = options.deps;
  if (url !== undefined) {
    const readiness = await waitUntilReady({
      url,
      timeoutMs: startedAtMs + spec.readyTimeoutMs - clock.nowMs(),
      clock,
      signal: AbortSignal.any([stop, child.exitSignal]),
    });
    if (stop.aborted) return undefined;
    if (child.exitSignal.aborted) return { code: 'process_exited', detail: 'before it was ready' };
    if (readiness.type === 'timeout') {
      const detail = `${url.href} gave ${readiness.lastProblem} after ${spec.readyTimeoutMs / 1000} s`;
      return { code: 'process_ready_timeout', detail };
    }
  }
  if (stop.aborted) return undefined;
  const signal = AbortSignal.any([stop, child.exitSignal]);
  const problem = await options.deps.beforeReady?.({ pid: child.pid, signal });
  if (stop.aborted) return undefined;
  if (problem !== undefined && !child.exitSignal.aborted)
    return { code: 'process_hook_failed', detail: problem };
  events.ready(child.pid);
  await untilAborted(child.exited, [stop]);
  return stop.aborted ? undefined : { code: 'process_exited', detail: 'while it was ready' };
}
