/**
 * One run of a program: spawns it in its own process group, collects what it prints, notices its end, ends its whole
 * family. Owns no state machine and no readiness; a child is used once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from './deadline.ts';
import { createFamily, markName } from './family.ts';
import type { Family } from './family.ts';
import { createOutputLog } from './output.ts';
import type { OutputLog } from './output.ts';
import type { ProcessExit } from './process-state.ts';
import { terminateFamily } from './terminate.ts';

export interface ChildOptions {
  readonly command: readonly [program: string, ...args: string[]];
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string | undefined;
  /** Unique to this start; found again in the environment of every descendant. */
  readonly mark: string;
  /** Also receives what the child prints. */
  readonly output: OutputLog;
  readonly platform: NodeJS.Platform;
}

export interface Child {
  readonly pid: number;
  /** Resolves as soon as the program itself has ended, whatever still holds its pipes. */
  readonly exited: Promise<ProcessExit>;
  /** Aborted at the same moment. */
  readonly exitSignal: AbortSignal;
  /**
   * Ends the child and everything it started, and resolves when nobody of them is left and the rest of the output is
   * in. `stopCommand` is run instead of sending SIGTERM; if it cannot be run or fails, SIGTERM is sent after all.
   */
  terminate(options: ChildTerminateOptions): Promise<void>;
  /** The last lines this child wrote to stderr, or to stdout if there are none. */
  lastLines(): readonly string[];
}

export interface ChildTerminateOptions {
  readonly killAt: Deadline;
  readonly stopCommand: readonly [program: string, ...args: string[]] | undefined;
  readonly onStuck: () => void;
}

export type StartedChild =
  | { readonly type: 'started'; readonly child: Child }
  | { readonly type: 'failed'; readonly problem: string };

/** Output that is still in the pipes when everyone has ended arrives at once; a stranger may hold them for ever. */
const outputGraceMs = 500;
const lastLinesMax = 10;
const lastBytesMax = 4096;

export async function startChild(options: ChildOptions): Promise<StartedChild> {
  const started = spawnProgram(options.command, options);
  if (typeof started === 'string') return { type: 'failed', problem: started };
  const exit = Promise.withResolvers<ProcessExit>();
  const exitController = new AbortController();
  // 'exit', not 'close': a grandchild that holds the pipes must not hide that the child has ended.
  started.once('exit', (code, signal) => {
    exit.resolve({ code, signal });
    exitController.abort();
  });
  const closed = once(started, 'close').catch(() => undefined);
  const streams = [started.stdout, started.stderr];
  const tails = streams.map((stream) => collect(stream, options.output));
  const problem = await spawnProblem(started, options);
  if (problem !== undefined || started.pid === undefined) {
    return { type: 'failed', problem: problem ?? 'no process id' };
  }
  const { pid } = started;
  const family = createFamily({ pid, mark: options.mark, platform: options.platform });
  const child: Child = {
    pid,
    exited: exit.promise,
    exitSignal: exitController.signal,
    async terminate({ killAt, stopCommand, onStuck }) {
      let stopCommandEnded: Promise<void> | undefined;
      await terminateFamily({
        family,
        killAt,
        leaderEnded: exit.promise,
        onStuck,
        ...(stopCommand !== undefined &&
          !exitController.signal.aborted && {
            begin: (ask) => {
              stopCommandEnded = runStopCommand(stopCommand, { options, killAt, ask });
            },
          }),
      });
      await exit.promise;
      await stopCommandEnded;
      await Promise.race([closed, sleep(outputGraceMs)]);
      for (const stream of streams) stream.destroy();
    },
    lastLines() {
      const [stdout, stderr] = tails.map((tail) => tail.lastLines(lastLinesMax));
      return stderr !== undefined && stderr.length > 0 ? stderr : (stdout ?? []);
    },
  };
  return { type: 'started', child };
}

interface StopCommandContext {
  readonly options: ChildOptions;
  readonly killAt: Deadline;
  readonly ask: () => Promise<void>;
}

/** Resolves when the command has ended, at the deadline by force: the next start must not meet a stop still at work. */
async function runStopCommand(
  command: readonly [string, ...string[]],
  { options, killAt, ask }: StopCommandContext,
): Promise<void> {
  const mark = `${options.mark}-stop`;
  const env = { ...options.env, [markName]: mark };
  const started = spawnProgram(command, { ...options, env });
  if (typeof started === 'string') return ask();
  const exited = once(started, 'exit').catch(() => undefined);
  for (const stream of [started.stdout, started.stderr]) collect(stream, options.output);
  if ((await spawnProblem(started, options)) !== undefined) return ask();
  await Promise.race([exited, killAt.reached]);
  if (started.exitCode !== 0 && !killAt.isReached) await ask();
  if (started.exitCode === null && started.signalCode === null) {
    const family: Family = createFamily({ pid: started.pid, mark, platform: options.platform });
    await terminateFamily({ family, killAt });
  }
  for (const stream of [started.stdout, started.stderr]) stream.destroy();
}

type Spawned = ReturnType<typeof spawnPiped>;

/** The started program, or the problem. */
function spawnProgram(
  command: readonly [string, ...string[]],
  options: Pick<ChildOptions, 'env' | 'cwd' | 'platform'>,
): Spawned | string {
  try {
    return spawnPiped(command, options);
  } catch (error) {
    // Most problems come as an event; only impossible arguments (a NUL byte) and exhausted limits are thrown.
    return error instanceof Error ? error.message : String(error);
  }
}

function spawnPiped(
  [program, ...args]: readonly [string, ...string[]],
  { env, cwd, platform }: Pick<ChildOptions, 'env' | 'cwd' | 'platform'>,
) {
  return spawn(program, args, {
    cwd,
    env,
    // Its own process group: a Ctrl-C at the terminal ends the router, which then ends its children in order.
    detached: platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
}

/** Resolves when the program runs (undefined) or could not be started (why). */
function spawnProblem(started: Spawned, { cwd, command }: ChildOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    started.once('spawn', () => {
      resolve(undefined);
    });
    started.on('error', (error: NodeJS.ErrnoException) => {
      const place = cwd === undefined ? '' : ` in ${cwd}`;
      resolve(error.code === 'ENOENT' ? `no such program: ${command[0]}${place}` : error.message);
    });
  });
}

/** Reads a pipe to its end, always at once: the child never waits for us. Returns its last bytes. */
function collect(stream: Readable, output: OutputLog): OutputLog {
  const tail = createOutputLog(lastBytesMax);
  stream.on('data', (bytes: Buffer) => {
    output.write(bytes);
    tail.write(bytes);
  });
  stream.on('error', () => undefined);
  return tail;
}
