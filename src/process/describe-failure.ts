/** Puts into words why a process failed, for error bodies, the API and the log. Pure. */
import type { ProcessExit, ProcessFailure, ProcessFailureCode } from './process-state.ts';

export interface FailureFacts {
  /** The process's id. */
  readonly id: string;
  readonly code: ProcessFailureCode;
  /** undefined when the program never ran, or could not be ended. */
  readonly exit: ProcessExit | undefined;
  readonly lastLines: readonly string[];
  /** What is known besides: the spawn problem; for a timeout what the last probe met; whether it had been ready. */
  readonly detail: string;
}

const quotedLinesMax = 3;
const quotedCharsMax = 400;

export function describeFailure(facts: FailureFacts): ProcessFailure {
  const { code, exit, lastLines } = facts;
  const quoted = lastLines.slice(-quotedLinesMax).join(' | ');
  const output = quoted === '' ? '' : `; last output: ${quoted.slice(-quotedCharsMax)}`;
  return { code, exit, lastLines, message: `${sentence(facts)}${output}` };
}

/** `exit code 1`, `signal SIGKILL`. */
export function describeExit({ code, signal }: ProcessExit): string {
  return signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
}

function sentence({ id, code, exit, detail }: FailureFacts): string {
  switch (code) {
    case 'process_spawn_failed':
      return `Process '${id}' could not be started: ${detail}`;
    case 'process_exited':
      return `Process '${id}' ended with ${exit === undefined ? 'unknown status' : describeExit(exit)} ${detail}`;
    case 'process_ready_timeout':
      return `Process '${id}' was not ready in time: ${detail}`;
    case 'process_hook_failed':
      return `Process '${id}' was ready, but ${detail}`;
  }
}
