/** The systems that configurations can be imported from. */
import type { ImportResult } from './draft.ts';
import type { ForeignSystem } from './foreign-key.ts';
import type { ForeignText } from './foreign-value.ts';
import { llamacppHaKeys } from './llamacpp-ha-keys.ts';
import { importLlamacppHa } from './llamacpp-ha.ts';
import { importNomyo } from './nomyo.ts';
import { nomyoEnvKeys, nomyoFileKeys } from './nomyo-keys.ts';
import { importOllamaLb, ollamaLbKeys } from './ollama-lb.ts';

export interface ImportInput {
  readonly main: ForeignText | undefined;
  readonly env: ForeignText | undefined;
}

export interface ImportableSystem extends ForeignSystem {
  /** Whether there is nothing to import without a file. */
  readonly needsFile: boolean;
  /** Never throws on any text. */
  run(input: ImportInput): ImportResult;
}

const noText: ForeignText = { file: '', text: '' };

export const importableSystems: readonly ImportableSystem[] = [
  {
    name: 'nomyo',
    title: 'nomyo-router',
    file: 'its `config.yaml`, with `--env-file` for what its container has in the environment',
    needsFile: true,
    keys: [...nomyoFileKeys, ...nomyoEnvKeys],
    run: ({ main = noText, env }) => importNomyo({ main, env }),
  },
  {
    name: 'llamacpp-ha',
    title: 'llamacpp-ha',
    file: 'its JSON file, with `--env-file` for variables `LLAMACPP_HA_<KEY>`, which win over it',
    needsFile: true,
    keys: llamacppHaKeys,
    run: ({ main = noText, env }) => importLlamacppHa({ main, env }),
  },
  {
    name: 'ollama-lb',
    title: 'ollama-lb',
    file: 'its env file, or the `docker-compose.yml` that sets its `environment`, with `--env-file` for `${NAME}` in it',
    needsFile: false,
    keys: ollamaLbKeys,
    run: importOllamaLb,
  },
];
