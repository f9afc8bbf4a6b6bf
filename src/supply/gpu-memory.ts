/**
 * GPU memory by process id, as NVIDIA's own tool tells it. One call at a time, each with a deadline; what is wrong with
 * the tool is an answer, never an error.
 */
import { spawn } from 'node:child_process';

export type GpuReading =
  /** By pid, over all GPUs; undefined = the driver keeps the amount of that process to itself. */
  | { readonly type: 'read'; readonly bytesByPid: ReadonlyMap<number, number | undefined> }
  /** There is no such tool. */
  | { readonly type: 'absent' }
  | { readonly type: 'failed'; readonly problem: string };

export interface GpuMemoryOptions {
  /** `PATH` in it says where the tool is. */
  readonly env: NodeJS.ProcessEnv;
  /** Default 5 s: with a busy driver the tool needs one or two. */
  readonly timeoutMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

const timeoutMsDefault = 5000;
const outputBytesMax = 1_000_000;
const toolArgs = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];

/** Asks once. Never rejects. */
export function readGpuMemory({
  env,
  timeoutMs = timeoutMsDefault,
  signal,
}: GpuMemoryOptions): Promise<GpuReading> {
  const asking = new Promise<GpuReading>((resolve) => {
    const tool = spawn('nvidia-smi', toolArgs, {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    });
    let text = '';
    const cancel = (): void => giveUp('cancelled');
    const end = (reading: GpuReading): void => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', cancel);
      resolve(reading);
    };
    const giveUp = (problem: string): void => {
      // It may hang in the driver, where not even SIGKILL ends it at once: nobody waits for that.
      tool.kill('SIGKILL');
      tool.stdout.destroy();
      tool.unref();
      end(failed(problem));
    };
    const deadline = setTimeout(giveUp, timeoutMs, `no answer within ${timeoutMs} ms`);
    signal?.addEventListener('abort', cancel);
    tool.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.length > outputBytesMax) giveUp('endless output');
    });
    tool.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code === 'ENOENT' ? { type: 'absent' } : failed(error.message));
    });
    tool.once('close', (code, endSignal) => {
      end(code === 0 ? parseGpuMemory(text) : failed(problemOf(text, code ?? endSignal)));
    });
  });
  return asking.catch((error: unknown) => failed(String(error)));
}

/**
 * Lines `PID, MIB`, one for each GPU that a process uses. In place of a number stands `[N/A]` where the driver does not
 * count (Windows) and `[Insufficient Permissions]` for processes of others.
 */
export function parseGpuMemory(text: string): GpuReading {
  const bytesByPid = new Map<number, number | undefined>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '') continue;
    const [, pidText = '', amount = ''] = /^(\d+|\[[^\]]*\])\s*,\s*(\d+|\[[^\]]*\])$/.exec(line) ?? [];
    if (pidText === '') return failed(`unexpected output: ${line.slice(0, 200)}`);
    if (pidText.startsWith('[')) continue;
    const pid = Number(pidText);
    const known = bytesByPid.has(pid) ? bytesByPid.get(pid) : 0;
    const isKnown = known !== undefined && !amount.startsWith('[');
    bytesByPid.set(pid, isKnown ? known + Number(amount) * 2 ** 20 : undefined);
  }
  return { type: 'read', bytesByPid };
}

/** The tool writes its complaints to stdout. */
function problemOf(text: string, status: number | string | null): string {
  const [line = ''] = text.trim().split('\n');
  return `ended with ${status ?? 'nothing'}${line === '' ? '' : `: ${line.slice(0, 200)}`}`;
}

function failed(problem: string): GpuReading {
  return { type: 'failed', problem };
}
