/** Runs the checks side by side, each within its time. Owns the deadline; a check that fails is a finding, never the end of the others. */
import { fault, type Finding } from './finding.ts';

export interface Check {
  readonly name: string;
  /** `signal`: its time is over. */
  run(signal: AbortSignal): Promise<readonly Finding[]>;
}

export interface CheckResult {
  readonly check: string;
  readonly findings: readonly Finding[];
}

/** In the order of the checks. `msMax`: for each of them. Never rejects. */
export function runChecks(checks: readonly Check[], msMax: number): Promise<CheckResult[]> {
  return Promise.all(
    checks.map(async (check) => ({ check: check.name, findings: await runCheck(check, msMax) })),
  );
}

async function runCheck(check: Check, msMax: number): Promise<readonly Finding[]> {
  const ending = new AbortController();
  const overdue = Promise.withResolvers<readonly Finding[]>();
  const timer = setTimeout(() => {
    ending.abort();
    overdue.resolve([broken(`this check has not ended within ${msMax / 1000} s`)]);
  }, msMax);
  try {
    return await Promise.race([check.run(ending.signal), overdue.promise]);
  } catch (error) {
    return [broken(`this check failed: ${error instanceof Error ? error.message : String(error)}`)];
  } finally {
    clearTimeout(timer);
  }
}

function broken(saw: string): Finding {
  return fault(undefined, { level: 'warning', saw, change: 'run llamero doctor again' });
}
