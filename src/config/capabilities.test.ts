import { expect, test } from 'vitest';
import { describeCapabilities } from './capabilities.ts';
import type { ResolvedCapabilities } from './models.ts';

const nothing: ResolvedCapabilities = { in: [], out: [], tools: false, reranker: false, context: 0 };

test.each<[string, Partial<ResolvedCapabilities>, object]>([
  ['in only', { in: ['text'] }, { architecture: { input_modalities: ['text'] } }],
  ['out only', { out: ['text'] }, { architecture: { output_modalities: ['text'] } }],
  [
    'both',
    { in: ['text', 'image'], out: ['text', 'audio'] },
    {
      architecture: {
        input_modalities: ['text', 'image'],
        output_modalities: ['text', 'audio'],
        modality: 'text+image->text+audio',
      },
      capabilities: { vision: true, audio_speech: true },
    },
  ],
  [
    'tools',
    { tools: true },
    { capabilities: { function_calling: true }, supported_parameters: ['tools', 'tool_choice'] },
  ],
  ['reranker', { reranker: true }, { capabilities: { reranker: true } }],
  ['context', { context: 4096 }, { context_length: 4096 }],
  ['nothing', {}, {}],
])('SRV-8 capabilities: %s', (_name, declared, expected) => {
  expect(describeCapabilities({ ...nothing, ...declared })).toEqual(expected);
});

test.each<[Partial<ResolvedCapabilities>, string[]]>([
  [{ in: ['image'] }, ['vision']],
  [{ in: ['audio'], out: ['text'] }, ['audio_transcriptions']],
  [{ in: ['text'], out: ['audio'] }, ['audio_speech']],
  [{ in: ['text'], out: ['image'] }, ['image_generation']],
  [{ in: ['image'], out: ['image'] }, ['vision', 'image_to_image']],
  [{ in: ['audio'], out: ['audio'] }, []],
])('SRV-8 flags of %o', (declared, flags) => {
  expect(Object.keys(describeCapabilities({ ...nothing, ...declared }).capabilities ?? {})).toEqual(flags);
});

test('SRV-8 what is not declared at all has no fields', () => {
  expect(describeCapabilities(undefined)).toEqual({});
});
