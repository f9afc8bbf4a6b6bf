/** What a model declares that it can do, in the words that model lists use. Pure. */
import type { Modality, ResolvedCapabilities } from './models.ts';

/** Members of a model's entry; those that nothing is declared for are absent. */
export interface CapabilityFields {
  readonly architecture?: {
    readonly input_modalities?: readonly Modality[];
    readonly output_modalities?: readonly Modality[];
    /** `text+image->text`. */
    readonly modality?: string;
  };
  readonly capabilities?: Readonly<Record<string, true>>;
  readonly supported_parameters?: readonly string[];
  /** Tokens. */
  readonly context_length?: number;
}

export const capabilityKeys = [
  'architecture',
  'capabilities',
  'supported_parameters',
  'context_length',
] as const satisfies readonly (keyof CapabilityFields)[];

export function describeCapabilities(declared: ResolvedCapabilities | undefined): CapabilityFields {
  if (declared === undefined) return {};
  const flags = Object.fromEntries(flagsOf(declared).map((flag) => [flag, true] as const));
  const hasModalities = declared.in.length > 0 || declared.out.length > 0;
  return {
    ...(hasModalities && { architecture: architectureOf(declared) }),
    ...(Object.keys(flags).length > 0 && { capabilities: flags }),
    ...(declared.tools && { supported_parameters: ['tools', 'tool_choice'] }),
    ...(declared.context > 0 && { context_length: declared.context }),
  };
}

function architectureOf({
  in: input,
  out: output,
}: ResolvedCapabilities): NonNullable<CapabilityFields['architecture']> {
  return {
    ...(input.length > 0 && { input_modalities: input }),
    ...(output.length > 0 && { output_modalities: output }),
    ...(input.length > 0 && output.length > 0 && { modality: `${input.join('+')}->${output.join('+')}` }),
  };
}

function flagsOf({ in: input, out: output, tools, reranker }: ResolvedCapabilities): string[] {
  const takes = (kind: Modality): boolean => input.includes(kind);
  const makes = (kind: Modality): boolean => output.includes(kind);
  const flags: readonly (readonly [string, boolean])[] = [
    ['vision', takes('image')],
    ['audio_transcriptions', takes('audio') && makes('text')],
    ['audio_speech', takes('text') && makes('audio')],
    ['image_generation', takes('text') && makes('image')],
    ['image_to_image', takes('image') && makes('image')],
    ['function_calling', tools],
    ['reranker', reranker],
  ];
  return flags.flatMap(([flag, holds]) => (holds ? [flag] : []));
}
