/** Which model files a command line names. Pure: looks at no disk. */
import { basename, dirname, resolve } from 'node:path';
import { splitCommand } from './split-command.ts';

const partsMax = 1000;

export interface FileArgument {
  /** As it is written; empty when the file stands alone. */
  readonly option: string;
  readonly path: string;
}

/** They see other files than we do. */
const runners = new Set([
  'docker',
  'podman',
  'nerdctl',
  'ssh',
  'wsl',
  'wsl.exe',
  'kubectl',
  'distrobox',
  'toolbox',
]);

/** Whether the command is for another machine or a container. */
export function runsElsewhere(words: readonly string[]): boolean {
  return words.slice(0, 3).some((word) => runners.has(basename(word)));
}

/** Files of GGUF models: `-m a.gguf`, `--mmproj=b.gguf`. Downloads (`--hf-file`) and templates are none. */
export function fileArguments(words: readonly string[]): FileArgument[] {
  return words.flatMap((word, index): FileArgument[] => {
    const joined = /^(--?[\w-]+)=(.+)$/.exec(word);
    const before = words[index - 1] ?? '';
    const [option, path] = joined === null ? [before, word] : [joined[1] ?? '', joined[2] ?? ''];
    const isRemote = /^(?:--hf-file|-hff)$/.test(option) || /^[a-z]+:\/\//.test(path);
    if (!path.endsWith('.gguf') || isRemote) return [];
    return [{ option: option.startsWith('-') ? option : '', path }];
  });
}

/** All parts of a model that is split (`x-00001-of-00003.gguf`); llama.cpp loads the others by itself. */
export function modelParts(path: string): string[] {
  const split = /^(.*)-00001-of-(\d{5})\.gguf$/.exec(path);
  if (split === null) return [path];
  const [, stem = '', total = '1'] = split;
  return Array.from(
    { length: Math.min(Number(total), partsMax) },
    (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${total}.gguf`,
  );
}

/** Absolute, of the first model file that a command of this machine names; undefined = none does. */
export function modelFolderIn(commands: Iterable<string>, platform: NodeJS.Platform): string | undefined {
  for (const command of commands) {
    const split = splitCommand(command, platform);
    if (!split.ok || runsElsewhere(split.words)) continue;
    const [file] = fileArguments(split.words);
    if (file !== undefined) return resolve(dirname(file.path));
  }
  return undefined;
}
