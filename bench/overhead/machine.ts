/** Where and on what a run was made: figures without that mean nothing later. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { pinning } from './pinned-process.ts';
import { versionOf } from './programs.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly haproxy: string | undefined;
  readonly nginx: string | undefined;
  readonly pinning: string;
  /** Before the run; far above 0 means that something else was at work. */
  readonly load1m: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    haproxy: versionOf('haproxy'),
    nginx: versionOf('nginx'),
    pinning,
    load1m: loadavg()[0] ?? 0,
  };
}

/** Short commit, `-dirty` when the tree differs from it; `unknown` outside a clone. */
export function describeCommit(root: string): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', root, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    const dirty = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty';
    return git('rev-parse', '--short=9', 'HEAD') + dirty;
  } catch {
    return 'unknown';
  }
}
