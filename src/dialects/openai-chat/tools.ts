/** Tools of a chat completion and which of them to use, both directions. */
import { toFunctionTool } from '../custom-tools.ts';
import type { WriteTarget } from '../dialect.ts';
import {
  optionalBoolean,
  optionalObject,
  optionalObjects,
  optionalString,
  pathOf,
  present,
  requiredObject,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, FunctionTool, JsonObject, Tool, ToolChoice } from '../ir/request.ts';
import { usesTemplate } from './conversation.ts';

/** Names of the members that are read here. */
export const toolMembers: readonly string[] = [
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
];

type ToolFields = Pick<ChatRequest, 'tools' | 'toolChoice' | 'parallelToolCalls' | 'wantsFunctionCall'>;

/** Also of the older members `functions` and `function_call`. @throws RequestShapeError */
export function readTools(place: Place): ToolFields {
  const tools = optionalObjects(place, 'tools')?.map(readTool);
  const functions = optionalObjects(place, 'functions')?.map(readFunction);
  const isOlder = tools === undefined && functions !== undefined;
  return present({
    tools: tools ?? functions,
    toolChoice: readToolChoice(place) ?? readLegacyChoice(place),
    parallelToolCalls: optionalBoolean(place, 'parallel_tool_calls') ?? (isOlder ? false : undefined),
    wantsFunctionCall: isOlder ? (true as const) : undefined,
  });
}

/** The counterpart of `readTools`. */
export function writeTools(
  { tools, toolChoice, parallelToolCalls, wantsFunctionCall }: ChatRequest,
  target: WriteTarget,
): JsonObject {
  if (tools === undefined || tools.length === 0) return {};
  const { habits, onDropped } = target;
  // Not shown is as good as not allowed, where nothing else can be said.
  if (toolChoice?.kind === 'none' && !habits.takesToolChoice) return {};
  const written = allowedTools(tools, toolChoice).flatMap((tool) => writeTool(tool, target) ?? []);
  if (written.length === 0) return {};
  if (!habits.takesToolChoice) {
    if (toolChoice !== undefined && choiceOf(toolChoice) !== 'auto') onDropped('tool_choice');
    if (parallelToolCalls === false && wantsFunctionCall !== true) onDropped('parallel_tool_calls');
    return { tools: written };
  }
  return {
    tools: written,
    ...(toolChoice !== undefined && { tool_choice: writeToolChoice(toolChoice, tools, target) }),
    ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
  };
}

function readTool(place: Place): Tool {
  const type = requiredString(place, 'type');
  if (type === 'function') return readFunction(requiredObject(place, 'function'));
  if (type !== 'custom') return { kind: 'builtin', dialect: 'openai-chat', type, value: place.fields };
  const custom = requiredObject(place, 'custom');
  return {
    kind: 'custom',
    name: requiredString(custom, 'name'),
    ...present({
      description: optionalString(custom, 'description'),
      format: custom.fields['format'] ?? undefined,
    }),
  };
}

function readFunction(place: Place): FunctionTool {
  return {
    kind: 'function',
    name: requiredString(place, 'name'),
    ...present({
      description: optionalString(place, 'description'),
      parameters: optionalObject(place, 'parameters')?.fields,
      strict: optionalBoolean(place, 'strict'),
    }),
  };
}

function writeTool(tool: Tool, target: WriteTarget): JsonObject | undefined {
  if (tool.kind === 'builtin') {
    if (tool.dialect === 'openai-chat') return tool.value;
    target.onDropped(`tools[].${tool.type}`);
    return undefined;
  }
  if (tool.kind === 'custom') {
    if (usesTemplate(target)) return writeTool(toFunctionTool(tool), target);
    const { name, description, format } = tool;
    return { type: 'custom', custom: { name, ...present({ description, format }) } };
  }
  const { name, description, parameters, strict } = tool;
  return { type: 'function', function: { name, ...present({ description, parameters, strict }) } };
}

function readToolChoice(place: Place): ToolChoice | undefined {
  const value = place.fields['tool_choice'] ?? undefined;
  if (value === undefined) return undefined;
  if (value === 'auto' || value === 'none' || value === 'required') return { kind: value };
  const words = 'must be none, auto, required or an object';
  if (typeof value === 'string') throw new RequestShapeError(pathOf(place, 'tool_choice'), words);
  const choice = requiredObject(place, 'tool_choice');
  const type = requiredString(choice, 'type');
  if (type === 'function' || type === 'custom') {
    return { kind: 'tool', name: requiredString(requiredObject(choice, type), 'name') };
  }
  if (type !== 'allowed_tools') {
    throw new RequestShapeError(pathOf(choice, 'type'), 'must be function, custom or allowed_tools');
  }
  const allowed = requiredObject(choice, 'allowed_tools');
  const mode = requiredString(allowed, 'mode');
  if (mode !== 'auto' && mode !== 'required') {
    throw new RequestShapeError(pathOf(allowed, 'mode'), 'must be auto or required');
  }
  return {
    kind: 'allowed',
    names: (optionalObjects(allowed, 'tools') ?? []).map(nameOf),
    required: mode === 'required',
  };
}

/** Of a tool in `allowed_tools`. */
function nameOf(place: Place): string {
  const type = requiredString(place, 'type');
  if (type !== 'function' && type !== 'custom') {
    throw new RequestShapeError(pathOf(place, 'type'), 'must be function or custom');
  }
  return requiredString(requiredObject(place, type), 'name');
}

function readLegacyChoice(place: Place): ToolChoice | undefined {
  const value = place.fields['function_call'] ?? undefined;
  if (value === undefined) return undefined;
  if (value === 'auto' || value === 'none') return { kind: value };
  if (typeof value === 'string') {
    throw new RequestShapeError(pathOf(place, 'function_call'), 'must be none, auto or an object');
  }
  return { kind: 'tool', name: requiredString(requiredObject(place, 'function_call'), 'name') };
}

/** Engines do not know `allowed_tools`: the others are not shown instead. */
function allowedTools(tools: readonly Tool[], choice: ToolChoice | undefined): readonly Tool[] {
  if (choice?.kind !== 'allowed') return tools;
  const names = new Set(choice.names);
  return tools.filter((tool) => tool.kind !== 'builtin' && names.has(tool.name));
}

/** The choice, where it is one of the words. */
function choiceOf(choice: ToolChoice): string | undefined {
  if (choice.kind === 'allowed') return choice.required ? 'required' : 'auto';
  return choice.kind === 'tool' ? undefined : choice.kind;
}

function writeToolChoice(choice: ToolChoice, tools: readonly Tool[], target: WriteTarget): unknown {
  if (choice.kind !== 'tool') return choiceOf(choice);
  const { name } = choice;
  const isCustom = tools.some((tool) => tool.kind === 'custom' && tool.name === name);
  if (isCustom && !usesTemplate(target)) return { type: 'custom', custom: { name } };
  return { type: 'function', function: { name } };
}
