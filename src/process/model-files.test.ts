import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileArguments, modelFolderIn, modelParts, runsElsewhere } from './model-files.ts';

describe('fileArguments', () => {
  test('finds model files behind options, joined to them and alone', () => {
    const words = ['llama-server', '-m', 'a.gguf', '--mmproj=b.gguf', '--port', '1', 'c.gguf'];
    expect(fileArguments(words)).toEqual([
      { option: '-m', path: 'a.gguf' },
      { option: '--mmproj', path: 'b.gguf' },
      { option: '', path: 'c.gguf' },
    ]);
  });

  test('leaves files alone that are downloaded', () => {
    const words = [
      'llama-server',
      '--hf-file',
      'a.gguf',
      '-m',
      'https://example.org/a.gguf',
      '--hf-file=b.gguf',
    ];
    expect(fileArguments(words)).toEqual([]);
  });
});

test.each([
  [['docker', 'run', 'x'], true],
  [['/usr/bin/sudo', 'podman', 'run'], true],
  [['llama-server', '-m', 'docker.gguf'], false],
])('runsElsewhere knows of %j: %s', (words, elsewhere) => {
  expect(runsElsewhere(words)).toBe(elsewhere);
});

test('modelParts names every part of a model that is split', () => {
  expect(modelParts('m/q-00001-of-00003.gguf')).toEqual([
    'm/q-00001-of-00003.gguf',
    'm/q-00002-of-00003.gguf',
    'm/q-00003-of-00003.gguf',
  ]);
  expect(modelParts('q.gguf')).toEqual(['q.gguf']);
});

describe('modelFolderIn', () => {
  test.each([
    [['server', 'server -m /models/qwen/a.gguf', 'server -m /other/b.gguf'], resolve('/models/qwen')],
    [['docker run x -m /inside/a.gguf', 'server -m b/c.gguf'], resolve('b')],
    [['server --hf-repo x', "server 'unclosed"], undefined],
  ])('is where the first model file of %j is', (commands, folder) => {
    expect(modelFolderIn(commands, 'linux')).toBe(folder);
  });
});
