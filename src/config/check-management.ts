/** Rules for the backends on which models are managed. Pure. */
import { nearestName } from '../base/nearest-name.ts';
import type { CheckResult, Finding } from './problems.ts';
import type { Config } from './schema.ts';

export function checkManagement({ management, backends }: Config): CheckResult {
  const names = management === 'all' ? [] : management;
  const problems = names.flatMap((name, index): Finding[] => {
    const message = faultOf(name, backends);
    return message === undefined ? [] : [{ path: ['management', index], message, code: 'config_invalid' }];
  });
  return { problems, warnings: [] };
}

function faultOf(name: string, backends: Config['backends']): string | undefined {
  const backend = Object.hasOwn(backends, name) ? backends[name] : undefined;
  if (backend === undefined) {
    const nearest = nearestName(name, Object.keys(backends));
    return `there is no backend '${name}'${nearest === undefined ? '' : `; did you mean '${nearest}'?`}`;
  }
  const { engine } = backend;
  if (engine === 'auto' || engine === 'ollama') return undefined;
  return `backend '${name}' is no Ollama but ${engine}, which keeps no models that could be managed`;
}
