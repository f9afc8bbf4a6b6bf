/** Starts the router with what `llamero import nomyo` makes of a configuration file of nomyo-router. */
import { parse } from 'yaml';
import { importNomyo } from '../../src/config/import/nomyo.ts';
import { startRouter, type TestRouter } from '../integration/start-router.ts';

/** What every key of the file is: the import takes none over, but names a variable for each. */
export const secret = 'sk-of-the-file';

/** `settings`: the file of nomyo-router. `more`: keys of Llamero that win. Resolves when all backends are live. */
export async function startNomyo(settings: object, more: object = {}): Promise<TestRouter> {
  const imported = importNomyo({ main: { file: 'config.yaml', text: JSON.stringify(settings) } });
  if (!imported.ok) throw new Error(imported.problems.map(({ message }) => message).join());
  const yaml = imported.variables.reduce(
    (text, { name }) => text.replaceAll(`\${env.${name}}`, () => secret),
    imported.yaml,
  );
  // Its address is that of the machine; tests listen where there is room.
  const { listen: _listen, ...config } = parse(yaml) as Record<string, unknown>;
  const router = await startRouter({ ...config, ...more });
  await router.ready();
  return router;
}

/** The name that the import gives the backend of a URL. */
export function nameOf(url: string): string {
  return new URL(url).host.replace(':', '-');
}
