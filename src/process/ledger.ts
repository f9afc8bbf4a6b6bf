/**
 * The file in which a router writes down the children it has started, so that after its sudden end somebody else can
 * find them. One router owns one file. Only this file knows the format.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readBootId, tryReadProcEntry } from './proc-table.ts';

export interface ProcessLedger {
  /** Called before a program is started. */
  expected(entry: ExpectedChild): void;
  /** Called as soon as it runs. */
  started(mark: string, pid: number): void;
  /** Called when nothing of it is left, or when it could not be started. */
  ended(mark: string): void;
}

export interface ExpectedChild {
  /** In the environment of the child and its descendants. */
  readonly mark: string;
  readonly id: string;
  readonly port: number | undefined;
  /** How long it may take to end once asked. */
  readonly stopTimeoutMs: number;
}

export interface LedgerOptions {
  readonly file: string;
  readonly platform: NodeJS.Platform;
  /** The file cannot be written. The router goes on; what a sudden end would leave behind stays unknown. */
  readonly onError: (error: unknown) => void;
}

const childSchema = z.object({
  mark: z.string().min(1),
  id: z.string(),
  port: z.number().optional(),
  stopTimeoutMs: z.number().min(0),
  pid: z.number().int().min(2).optional(),
  startMark: z.string().optional(),
});
const ledgerSchema = z.object({
  version: z.literal(1),
  owner: z.object({ pid: z.number().int().min(1), startMark: z.string().optional() }),
  children: z.array(childSchema),
});

export type LedgerChild = z.infer<typeof childSchema>;
export type LedgerContent = z.infer<typeof ledgerSchema>;

/** Takes the file over at once: call `reapOrphans` before. Makes its folder if there is none. */
export function createLedger({ file, platform, onError }: LedgerOptions): ProcessLedger {
  const children = new Map<string, LedgerChild>();
  const owner = { pid: process.pid, startMark: startMarkOf(process.pid, platform) };

  function write(): void {
    const content = { version: 1, owner, children: Array.from(children.values()) };
    const draft = `${file}.${process.pid}`;
    try {
      // In place of the old one at once or not at all: a reader never sees half a file.
      writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
      renameSync(draft, file);
    } catch (error) {
      onError(error);
    }
  }

  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    onError(error);
  }
  write();
  return {
    expected({ mark, id, port, stopTimeoutMs }) {
      children.set(mark, { mark, id, stopTimeoutMs, ...(port !== undefined && { port }) });
      write();
    },
    started(mark, pid) {
      const child = children.get(mark);
      if (child === undefined) return;
      const startMark = startMarkOf(pid, platform);
      children.set(mark, { ...child, pid, ...(startMark !== undefined && { startMark }) });
      write();
    },
    ended(mark) {
      if (children.delete(mark)) write();
    },
  };
}

export type LedgerReading =
  | { readonly type: 'read'; readonly content: LedgerContent }
  | { readonly type: 'absent' }
  | { readonly type: 'unreadable'; readonly problem: string };

export function readLedger(file: string): LedgerReading {
  try {
    return { type: 'read', content: ledgerSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { type: 'absent' };
    return { type: 'unreadable', problem: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * What tells a process from a later one with the same pid: on Linux the boot and the tick of its start, elsewhere the
 * second of its start. undefined when there is no such process, and always on Windows. The command line is no part of
 * it: a wrapper script that execs its server changes that.
 */
export function startMarkOf(pid: number, platform: NodeJS.Platform): string | undefined {
  if (platform === 'win32') return undefined;
  if (platform === 'linux') {
    const entry = tryReadProcEntry(pid);
    return entry && `${readBootId()}:${entry.startTicks}`;
  }
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return started === '' ? undefined : started;
  } catch {
    return undefined;
  }
}
