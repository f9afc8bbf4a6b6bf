/**
 * One short command beside a model: run, watched, ended at its deadline with everything it started. Decides nothing about
 * when or why it is run.
 */
import { randomUUID } from 'node:crypto';
import { startChild } from './child.ts';
import { createDeadline } from './deadline.ts';
import { describeExit } from './describe-failure.ts';
import { markName } from './family.ts';
import type { OutputLog } from './output.ts';
import type { RunDeps } from './run.ts';
import { untilAborted } from './until-aborted.ts';

export interface CommandOptions {
  readonly command: readonly [program: string, ...args: string[]];
  /** Added to the router's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** For whom it is run; for the ledger. */
  readonly id: string;
  /** Receives what it prints. */
  readonly output: OutputLog;
  readonly deps: RunDeps;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
}

export type CommandEnd =
  | { readonly ok: true }
  /** `problem`: what happened and the last lines printed, without full stop. */
  | { readonly ok: false; readonly problem: string };

/** Between SIGTERM and SIGKILL, once it has to end; also what its own children get when it has ended by itself. */
const killAfterMs = 1000;
const quotedLines = 3;
const quotedCharsMax = 400;

/** Resolves when nothing of it is left. Never rejects. */
export async function runCommand(options: CommandOptions): Promise<CommandEnd> {
  const { command, env, timeoutMs, id, output, deps, signal } = options;
  const { ledger, clock, platform } = deps;
  if (signal.aborted) return { ok: false, problem: 'was not run: the router is shutting down' };
  const mark = randomUUID();
  ledger.expected({ mark, id, port: undefined, stopTimeoutMs: killAfterMs });
  const childEnv = { ...deps.env, ...env, [markName]: mark };
  const started = await startChild({ command, env: childEnv, cwd: undefined, mark, output, platform });
  if (started.type === 'failed') {
    ledger.ended(mark);
    return { ok: false, problem: `could not be started: ${started.problem}` };
  }
  const { child } = started;
  ledger.started(mark, child.pid);
  const timeout = createDeadline(clock);
  timeout.tighten(clock.nowMs() + timeoutMs);
  const exit = await Promise.race([
    untilAborted(child.exited, [signal]),
    timeout.reached.then(() => undefined),
  ]);
  const isLate = timeout.isReached;
  timeout.clear();
  const killAt = createDeadline(clock);
  killAt.tighten(clock.nowMs() + killAfterMs);
  await child.terminate({ killAt, stopCommand: undefined, onStuck: () => {} });
  killAt.clear();
  ledger.ended(mark);
  if (exit?.code === 0) return { ok: true };
  const lines = child.lastLines().slice(-quotedLines).join(' | ').slice(-quotedCharsMax);
  const said = lines === '' ? '' : `; last output: ${lines}`;
  if (exit !== undefined) return { ok: false, problem: `ended with ${describeExit(exit)}${said}` };
  return {
    ok: false,
    problem: `${isLate ? `took longer than ${timeoutMs / 1000} s` : 'was cut short'}${said}`,
  };
}
