/**
 * Runs a program once for what it prints. Owns its deadline, the limit of its output and its end: whatever it does, the
 * answer comes in time and never as an exception.
 */
import { spawn, type ChildProcess } from 'node:child_process';

export type ToolAnswer =
  | { readonly type: 'done'; readonly text: string }
  /** There is no such program. */
  | { readonly type: 'absent' }
  | { readonly type: 'failed'; readonly problem: string };

export interface ToolRun {
  /** Found by `PATH` in `env`, or absolute. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Default 5 s: with a busy driver a tool needs one or two. */
  readonly timeoutMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

const timeoutMsDefault = 5000;
const outputCharsMax = 1_000_000;

/** Never rejects. */
export function runTool({ timeoutMs = timeoutMsDefault, signal, ...run }: ToolRun): Promise<ToolAnswer> {
  const running = new Promise<ToolAnswer>((resolve) => {
    const tool = spawnTool(run);
    let text = '';
    let complaint = '';
    const cancel = (): void => giveUp('cancelled');
    const end = (answer: ToolAnswer): void => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', cancel);
      resolve(answer);
    };
    const giveUp = (problem: string): void => {
      killTool(tool);
      end({ type: 'failed', problem });
    };
    const deadline = setTimeout(giveUp, timeoutMs, `no answer within ${timeoutMs} ms`);
    signal?.addEventListener('abort', cancel);
    tool.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.length > outputCharsMax) giveUp('endless output');
    });
    tool.stderr?.setEncoding('utf8').on('data', (part: string) => {
      complaint = (complaint + part).slice(0, 1000);
    });
    tool.once('error', (error) => end(spawnFault(error)));
    tool.once('close', (code, endSignal) => {
      if (code === 0) end({ type: 'done', text });
      else end({ type: 'failed', problem: problemOf(text.trim() || complaint, code ?? endSignal) });
    });
  });
  return running.catch((error: unknown) => ({ type: 'failed', problem: String(error) }));
}

/** Starts it in a process group of its own and with the words and decimal points of the C locale. */
export function spawnTool({ program, args, env }: Pick<ToolRun, 'program' | 'args' | 'env'>): ChildProcess {
  return spawn(program, args, {
    env: { ...env, LC_ALL: 'C', LANG: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    detached: process.platform !== 'win32',
  });
}

/** It may hang in the driver, where not even SIGKILL ends it at once: nobody waits for that. */
export function killTool(tool: ChildProcess): void {
  try {
    if (process.platform === 'win32' || tool.pid === undefined) tool.kill('SIGKILL');
    else process.kill(-tool.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
  tool.stdout?.destroy();
  tool.stderr?.destroy();
  tool.unref();
}

export function spawnFault(error: NodeJS.ErrnoException): ToolAnswer {
  return error.code === 'ENOENT' ? { type: 'absent' } : { type: 'failed', problem: error.message };
}

/** Of the status that it ended with and its first words. */
export function problemOf(text: string, status: number | string | null): string {
  const [line = ''] = text.trim().split('\n');
  return `ended with ${status ?? 'nothing'}${line === '' ? '' : `: ${line.slice(0, 200)}`}`;
}
