import { describe, expect, test } from 'vitest';
import { loadConfigText } from './load.ts';
import type { Config } from './schema.ts';

const url = 'http://127.0.0.1:8080';
const otherUrl = 'http://127.0.0.1:8081';

function load(config: object): Config {
  const result = loadConfigText({ file: 'f', text: JSON.stringify(config), env: {} });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return result.config;
}

describe('repairs of the whole file', () => {
  test('are those of every backend, model and peer, whose own keys win', () => {
    const { backends, models, peers } = load({
      repairs: { trimContext: true, dropTools: true },
      backends: {
        usual: { url },
        other: { url: otherUrl, repairs: { dropTools: false, dropImages: true } },
      },
      models: { m: { cmd: 'serve --port ${PORT}' } },
      peers: { p: { proxy: url, models: ['x'] } },
    });
    const usual = { trimContext: true, dropTools: true, dropImages: false };
    expect([backends['usual'], models['m'], peers['p']].map((entry) => entry?.repairs)).toEqual([
      expect.objectContaining(usual),
      expect.objectContaining(usual),
      expect.objectContaining(usual),
    ]);
    expect(backends['other']?.repairs).toMatchObject({
      trimContext: true,
      dropTools: false,
      dropImages: true,
    });
  });

  test.each(['nomyo', 'nomyo-priority'])(
    'are on with the preset %s, unless the file says otherwise',
    (preset) => {
      const repairsWith = (more: object) =>
        load({ scheduling: { preset }, backends: { a: { url } }, ...more }).backends['a']?.repairs;
      expect(repairsWith({})).toMatchObject({
        trimContext: true,
        dropTools: true,
        dropImages: true,
        toolCalls: false,
        thinkTags: false,
        volatilePrefix: false,
      });
      expect(repairsWith({ repairs: { trimContext: false } })).toMatchObject({
        trimContext: false,
        dropTools: true,
      });
    },
  );

  test.each([{ repairs: 3 }, { repairs: { trimContext: 'often' } }, { repairs: { unknown: true } }])(
    'that are none are told of once, where they stand: %j',
    (wrong) => {
      const result = loadConfigText({
        file: 'f',
        text: JSON.stringify({ ...wrong, backends: { a: { url }, b: { url: otherUrl } } }),
        env: {},
      });
      expect(result.ok ? [] : result.problems.map(({ path }) => path.split('.')[0])).toEqual(['repairs']);
    },
  );
});
