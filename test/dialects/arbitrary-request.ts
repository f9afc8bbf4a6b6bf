/**
 * Requests for property tests: any conversation that a client may send, or only as much of it as one dialect can say. They
 * are in normal form: a system prompt first, every tool call answered right after it, an assistant's thoughts before its
 * text before its calls.
 */
import fc from 'fast-check';
import type { DialectName } from '../../src/dialects/dialect.ts';
import type {
  ChatRequest,
  JsonObject,
  OutputFormat,
  ReasoningWish,
  Sampling,
  TextRequest,
  Tool,
  ToolChoice,
} from '../../src/dialects/ir/request.ts';
import { arbitraryImage, arbitraryMessages } from './arbitrary-messages.ts';
import { allows, arbitraryText, arbitraryToolName, oneOf, picked } from './arbitrary-values.ts';
import type { ChatShape } from './chat-shape.ts';

/** Any conversation of the shape. */
export function arbitraryChatRequest(shape: ChatShape): fc.Arbitrary<ChatRequest> {
  const base = fc.record({
    stream: fc.boolean(),
    usage: fc.boolean(),
    messages: arbitraryMessages(shape),
    tools: arbitraryTools(shape),
    choice: fc.nat(),
    members: arbitraryMembers(shape),
    sampling: arbitrarySampling(shape.sampling),
    format: arbitraryFormat(shape),
    reasoning: arbitraryReasoning(shape.reasoning),
  });
  return base.map(({ stream, usage, messages, tools, choice, members, ...rest }) => {
    const { parallelToolCalls, ...others } = members;
    return {
      kind: 'chat',
      dialect: shape.dialect,
      model: 'some/model:q4',
      stream,
      usageInStream: shape.usageInStream ?? (stream && usage),
      messages,
      ...(tools.length > 0 && {
        tools,
        ...chosenTool(shape, tools, choice),
        ...(parallelToolCalls !== undefined && { parallelToolCalls }),
      }),
      sampling: rest.sampling,
      ...(rest.format !== undefined && { format: rest.format }),
      ...(rest.reasoning !== undefined && { reasoning: rest.reasoning }),
      ...others,
      own: {},
      extra: {},
    };
  });
}

/** What may occur in a text request; everything that a member does not forbid does. */
export interface TextShape {
  readonly dialect: DialectName;
  readonly prompts?: readonly ('text' | 'texts' | 'tokens' | 'tokenLists')[];
  readonly textMembers?: readonly ('suffix' | 'echo' | 'system' | 'images')[];
  readonly raw?: boolean;
  readonly formats?: readonly OutputFormat['kind'][];
  readonly formatMembers?: readonly ('name' | 'description' | 'strict')[];
  readonly reasoning?: readonly (keyof ReasoningWish)[];
  readonly sampling?: readonly (keyof Sampling)[];
  readonly members?: readonly ('user' | 'metadata' | 'keepAlive' | 'contextTokens')[];
  readonly usageInStream?: boolean;
}

/** Any text request of the shape. */
export function arbitraryTextRequest(shape: TextShape): fc.Arbitrary<TextRequest> {
  const may = allows(shape.textMembers);
  const prompt = oneOf<TextRequest['prompt']>(shape.prompts, {
    text: arbitraryText,
    texts: fc.array(arbitraryText, { minLength: 2, maxLength: 3 }),
    tokens: fc.array(fc.nat(99_999), { minLength: 1, maxLength: 5 }),
    tokenLists: fc.array(fc.array(fc.nat(99_999), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    }),
  });
  return fc
    .record({
      stream: fc.boolean(),
      usage: fc.boolean(),
      raw: shape.raw === undefined ? fc.boolean() : fc.constant(shape.raw),
      prompt,
      own: fc.record(
        {
          ...(may('suffix') && { suffix: arbitraryText }),
          ...(may('echo') && { echo: fc.boolean() }),
          ...(may('system') && { system: arbitraryText }),
          ...(may('images') && {
            images: fc.array(
              arbitraryImage({ dialect: shape.dialect, imageSources: ['base64'], imageDetail: false }),
              {
                minLength: 1,
                maxLength: 2,
              },
            ),
          }),
        },
        { requiredKeys: [] },
      ),
      members: arbitraryMembers(shape),
      sampling: arbitrarySampling(shape.sampling),
      format: arbitraryFormat(shape),
      reasoning: arbitraryReasoning(shape.reasoning),
    })
    .map(({ stream, usage, raw, prompt: text, own, members, sampling, format, reasoning }) => {
      const { system, ...others } = own as Partial<TextRequest>;
      return {
        kind: 'text',
        dialect: shape.dialect,
        model: 'some/model:q4',
        stream,
        usageInStream: shape.usageInStream ?? (stream && usage),
        prompt: text,
        raw,
        ...(system !== undefined && !raw && { system }),
        ...others,
        sampling,
        ...(format !== undefined && { format }),
        ...(reasoning !== undefined && { reasoning }),
        ...members,
        own: {},
        extra: {},
      };
    });
}

const arbitrarySchema: fc.Arbitrary<JsonObject> = fc
  .dictionary(
    fc.stringMatching(/^[a-z]{1,6}$/),
    fc.constantFrom({ type: 'string' }, { type: 'integer' }, { $ref: '#' }),
    {
      maxKeys: 3,
      noNullPrototype: true,
    },
  )
  .map((properties) => ({ type: 'object', properties, additionalProperties: false }));

type NamedTool = Exclude<Tool, { kind: 'builtin' }>;

function arbitraryTools(shape: ChatShape): fc.Arbitrary<readonly Tool[]> {
  if (shape.tools?.length === 0) return fc.constant([]);
  const may = allows(shape.toolMembers);
  const members = {
    ...(may('description') && { description: arbitraryText }),
    ...(may('parameters') && { parameters: arbitrarySchema }),
    ...(may('strict') && { strict: fc.boolean() }),
  };
  const tool = oneOf<NamedTool>(shape.tools, {
    function: fc.record(
      { kind: fc.constant('function'), name: arbitraryToolName, ...members },
      { requiredKeys: ['kind', 'name'] },
    ),
    custom: fc.record(
      {
        kind: fc.constant('custom'),
        name: arbitraryToolName,
        ...(may('description') && { description: arbitraryText }),
      },
      { requiredKeys: ['kind', 'name'] },
    ),
  });
  return fc.uniqueArray(tool, {
    selector: ({ name }) => name,
    maxLength: 3,
  });
}

function chosenTool(shape: ChatShape, tools: readonly Tool[], choice: number): { toolChoice?: ToolChoice } {
  const may = allows(shape.toolChoices);
  const names = tools.flatMap((tool) => ('name' in tool ? [tool.name] : []));
  const [name = ''] = names;
  const choices: readonly ToolChoice[] = [
    { kind: 'auto' },
    { kind: 'none' },
    { kind: 'required' },
    { kind: 'tool', name },
    { kind: 'allowed', names, required: choice % 2 === 0 },
  ];
  const allowed = choices.filter(({ kind }) => may(kind));
  const chosen = allowed[choice % (allowed.length + 1)];
  return chosen === undefined ? {} : { toolChoice: chosen };
}

function arbitraryFormat(shape: {
  readonly formats?: readonly OutputFormat['kind'][];
  readonly formatMembers?: readonly ('name' | 'description' | 'strict')[];
}): fc.Arbitrary<OutputFormat | undefined> {
  if (shape.formats?.length === 0) return fc.constant(undefined);
  const may = allows(shape.formatMembers);
  const format = oneOf<OutputFormat>(shape.formats, {
    text: fc.constant({ kind: 'text' }),
    json: fc.constant({ kind: 'json' }),
    schema: fc.record(
      {
        kind: fc.constant('schema'),
        schema: arbitrarySchema,
        ...(may('name') && { name: arbitraryToolName }),
        ...(may('description') && { description: arbitraryText }),
        ...(may('strict') && { strict: fc.boolean() }),
      },
      { requiredKeys: may('name') ? ['kind', 'schema', 'name'] : ['kind', 'schema'] },
    ),
  });
  return fc.option(format, { nil: undefined });
}

function arbitraryReasoning(
  members: readonly (keyof ReasoningWish)[] | undefined,
): fc.Arbitrary<ReasoningWish | undefined> {
  const wish = fc.record(
    picked(members, {
      enabled: fc.boolean(),
      effort: fc.constantFrom('minimal', 'low', 'medium', 'high'),
      budgetTokens: fc.integer({ min: 1024, max: 9999 }),
      summary: fc.constantFrom('auto', 'concise', 'detailed'),
    }),
    { requiredKeys: [] },
  ) as fc.Arbitrary<ReasoningWish>;
  return wish.map((value) => (Object.keys(value).length === 0 ? undefined : value));
}

function arbitrarySampling(members: readonly (keyof Sampling)[] | undefined): fc.Arbitrary<Sampling> {
  const ratio = fc.integer({ min: 0, max: 100 }).map((value) => value / 100);
  const sampling = fc.record(
    picked(members, {
      maxTokens: fc.integer({ min: 1, max: 9999 }),
      temperature: ratio,
      topP: ratio,
      topK: fc.integer({ min: 1, max: 99 }),
      minP: ratio,
      typicalP: ratio,
      seed: fc.integer({ min: 0, max: 4_294_967_295 }),
      stop: fc.array(arbitraryText, { minLength: 1, maxLength: 4 }),
      frequencyPenalty: ratio,
      presencePenalty: ratio,
      repeatPenalty: ratio,
      repeatLastN: fc.integer({ min: -1, max: 99 }),
      logitBias: fc.dictionary(fc.nat(999).map(String), fc.integer({ min: -100, max: 100 }), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
      logprobs: fc.boolean(),
      topLogprobs: fc.integer({ min: 0, max: 20 }),
      choices: fc.integer({ min: 1, max: 4 }),
    }),
    { requiredKeys: [] },
  ) as fc.Arbitrary<Sampling>;
  // Alternatives without log probabilities are an error in every API that has both.
  return sampling.map(({ topLogprobs, ...rest }) => ({
    ...rest,
    ...(topLogprobs !== undefined && rest.logprobs === true && { topLogprobs }),
  }));
}

interface OtherMembers {
  readonly user?: string;
  readonly metadata?: JsonObject;
  readonly keepAlive?: string | number;
  readonly contextTokens?: number;
  readonly parallelToolCalls?: boolean;
}

function arbitraryMembers(shape: {
  readonly members?: readonly (keyof OtherMembers)[];
}): fc.Arbitrary<OtherMembers> {
  return fc.record(
    picked(shape.members, {
      user: fc.stringMatching(/^[a-z0-9-]{1,10}$/),
      metadata: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), arbitraryText, {
        maxKeys: 2,
        noNullPrototype: true,
      }),
      keepAlive: fc.oneof(fc.constantFrom('10m', '-1'), fc.nat(600)),
      contextTokens: fc.integer({ min: 1, max: 262_144 }),
      parallelToolCalls: fc.boolean(),
    }),
    { requiredKeys: [] },
  ) as fc.Arbitrary<OtherMembers>;
}
