/** Ending a process tree on Windows, which has neither process groups nor signals. The only file that knows `taskkill`. */
import { spawn } from 'node:child_process';

/** By force: console programs cannot be asked to close on Windows, so there is no gentler step before it. */
export function killTree(pid: number): void {
  const child = spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true });
  // Without taskkill nothing can be done here; the caller sees that the tree is still alive.
  child.on('error', () => undefined);
}
