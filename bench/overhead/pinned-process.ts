/** Starts the programs of the bench, each on its own core where the machine has taskset and cores to give. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

export type Role = 'proxy' | 'stub' | 'load';

const cores = availableParallelism();
const canPin = cores > 1 && spawnSync('taskset', ['--version']).status === 0;
const coreOf: Readonly<Record<Role, number>> = { proxy: 0, stub: 1, load: cores > 2 ? 2 : 1 };

/** How the roles share the machine, for the report. */
export const pinning = canPin
  ? `proxy on core ${coreOf.proxy}, stub engine on core ${coreOf.stub}, load on core ${coreOf.load}`
  : 'not pinned';

export function startPinned(role: Role, command: readonly string[], stdio: StdioOptions): ChildProcess {
  const [program = '', ...args] = canPin ? ['taskset', '-c', String(coreOf[role]), ...command] : command;
  return spawn(program, args, { stdio });
}

/** Asks a process to end, then makes it. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(timer);
}

/** One of the bench's own programs: a question over IPC, an answer back, one at a time. */
export class Peer<Question, Answer> {
  readonly #child: ChildProcess;

  constructor(role: Role, file: string) {
    this.#child = startPinned(role, [process.execPath, file], ['ignore', 'inherit', 'inherit', 'ipc']);
  }

  ask(question: Question): Promise<Answer> {
    const answer = this.next();
    this.#child.send(question as object);
    return answer;
  }

  /** The next message; rejects when the program ends instead. */
  next(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        this.#child.off('exit', onExit);
        resolve(message as Answer);
      };
      const onExit = (code: number | null): void => {
        this.#child.off('message', onMessage);
        reject(new Error(`a program of the bench ended with ${code}`));
      };
      this.#child.once('message', onMessage);
      this.#child.once('exit', onExit);
    });
  }

  close(): Promise<void> {
    return endProcess(this.#child);
  }
}
