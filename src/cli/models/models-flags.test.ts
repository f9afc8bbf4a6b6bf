import { describe, expect, test } from 'vitest';
import { parseModelsFlags } from './models-flags.ts';

const parse = (line: string) => parseModelsFlags(line === '' ? [] : line.split(' '));

describe('parseModelsFlags', () => {
  test('lists when nothing is said', () => {
    expect(parse('')).toMatchObject({
      verb: 'list',
      names: [],
      backends: undefined,
      plan: false,
      json: false,
    });
  });

  test('takes names of models and of backends, with commas or one by one', () => {
    expect(parse('copy a b --backends one,two --backends three --plan')).toMatchObject({
      verb: 'copy',
      names: ['a', 'b'],
      backends: ['one', 'two', 'three'],
      plan: true,
    });
  });

  test('takes a recipe: numbers as numbers, what is said several times as a list', () => {
    const line = 'create mine --from base --file a.gguf --file b.gguf --quantize q4_K_M';
    const parameters = '--parameter num_ctx=8192 --parameter stop=END --parameter stop=a=b';
    expect(parse(`${line} ${parameters}`)?.recipe).toEqual({
      from: 'base',
      files: ['a.gguf', 'b.gguf'],
      adapters: [],
      system: undefined,
      template: undefined,
      quantize: 'q4_K_M',
      parameters: { num_ctx: 8192, stop: ['END', 'a=b'] },
    });
  });

  test.each(['--help', 'pull -h'])('%s wants help', (line) => {
    expect(parse(line)).toBeUndefined();
  });

  test.each([
    ['show', "knows no 'show'"],
    ['constructor', "knows no 'constructor'"],
    ['list a', 'list takes no name'],
    ['pull', 'pull takes one name'],
    ['copy a', 'copy takes two names'],
    ['unload a b', 'unload takes one name or none'],
    ['load a --backends one', 'load takes no --backends'],
    ['ps --plan', 'ps takes no --plan'],
    ['pull a --from b', 'pull takes no --from'],
    ['create a', 'create takes --from MODEL or --file PATH'],
    ['create a --from b --parameter num_ctx', '--parameter must be like num_ctx=8192'],
    ['pull a --backends one,,two', '--backends must be names'],
    ['pull a --url localhost', '--url must be like'],
    ['pull a --force', '--force'],
  ])('refuses %j', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });
});
