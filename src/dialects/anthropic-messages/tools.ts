/** Tools and the choice among them, both directions. */
import { toFunctionTool } from '../custom-tools.ts';
import type { WriteTarget } from '../dialect.ts';
import {
  optionalBoolean,
  optionalObject,
  optionalObjects,
  optionalString,
  pathOf,
  requiredObject,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, FunctionTool, JsonObject, Tool, ToolChoice } from '../ir/request.ts';
import type { Unread } from '../ir/unread.ts';
import { dialectName } from './name.ts';
import { noteUnread } from './unread.ts';

/** Arguments are streamed as they come in any case, so that asking for it says nothing new. */
const toolMembers = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'eager_input_streaming',
]);
const choiceMembers = new Set(['type', 'name', 'disable_parallel_tool_use']);

/** @throws RequestShapeError */
export function readTools(request: Place, unread: Unread): readonly Tool[] | undefined {
  const tools = optionalObjects(request, 'tools')?.map((place) => readTool(place, unread));
  return tools === undefined || tools.length === 0 ? undefined : tools;
}

export interface ReadChoice {
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
}

/** @throws RequestShapeError */
export function readToolChoice(request: Place, unread: Unread): ReadChoice {
  const place = optionalObject(request, 'tool_choice');
  if (place === undefined) return {};
  noteUnread(place, choiceMembers, unread);
  const single = optionalBoolean(place, 'disable_parallel_tool_use');
  return {
    toolChoice: readChoice(place),
    ...(single !== undefined && { parallelToolCalls: !single }),
  };
}

/** The members `tools` and `tool_choice`. */
export function writeTools(request: ChatRequest, target: WriteTarget): JsonObject {
  const { toolChoice, parallelToolCalls } = request;
  const names = toolChoice?.kind === 'allowed' ? new Set(toolChoice.names) : undefined;
  const tools = (request.tools ?? [])
    // The API cannot choose among several, but those that are not there cannot be called either.
    .filter((tool) => names === undefined || !('name' in tool) || names.has(tool.name))
    .flatMap((tool) => writeTool(tool, target));
  // A choice without tools is refused.
  if (tools.length === 0) {
    if (toolChoice !== undefined && toolChoice.kind !== 'none') target.onDropped('tool_choice');
    return {};
  }
  const choice = writeChoice(toolChoice, parallelToolCalls);
  if (choice === undefined) return { tools };
  if (!target.habits.takesToolChoice) {
    target.onDropped('tool_choice');
    return { tools };
  }
  return { tools, tool_choice: choice };
}

function readTool(place: Place, unread: Unread): Tool {
  const type = optionalString(place, 'type') ?? 'custom';
  if (type !== 'custom') return { kind: 'builtin', dialect: dialectName, type, value: place.fields };
  noteUnread(place, toolMembers, unread);
  const name = requiredString(place, 'name');
  if (name === '') throw new RequestShapeError(pathOf(place, 'name'), 'must not be empty');
  const description = optionalString(place, 'description');
  const strict = optionalBoolean(place, 'strict');
  return {
    kind: 'function',
    name,
    ...(description !== undefined && { description }),
    parameters: requiredObject(place, 'input_schema').fields,
    ...(strict !== undefined && { strict }),
  };
}

function readChoice(place: Place): ToolChoice {
  const type = requiredString(place, 'type');
  switch (type) {
    case 'auto':
    case 'none':
      return { kind: type };
    case 'any':
      return { kind: 'required' };
    case 'tool':
      return { kind: 'tool', name: requiredString(place, 'name') };
    default:
      throw new RequestShapeError(pathOf(place, 'type'), 'must be "auto", "any", "tool" or "none"');
  }
}

function writeTool(tool: Tool, { onDropped }: WriteTarget): readonly JsonObject[] {
  switch (tool.kind) {
    case 'function':
      return [writeFunction(tool)];
    case 'custom':
      return [writeFunction(toFunctionTool(tool))];
    case 'builtin':
      if (tool.dialect === dialectName) return [tool.value];
      onDropped(`tools[].${tool.type}`);
      return [];
  }
}

function writeFunction({ name, description, parameters, strict }: FunctionTool): JsonObject {
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: parameters ?? { type: 'object', properties: {} },
    ...(strict !== undefined && { strict }),
  };
}

function writeChoice(choice: ToolChoice | undefined, parallel: boolean | undefined): JsonObject | undefined {
  if (choice?.kind === 'none') return { type: 'none' };
  const single = parallel !== undefined && { disable_parallel_tool_use: !parallel };
  if (choice === undefined) return parallel === false ? { type: 'auto', ...single } : undefined;
  switch (choice.kind) {
    case 'auto':
      return { type: 'auto', ...single };
    case 'required':
      return { type: 'any', ...single };
    case 'tool':
      return { type: 'tool', name: choice.name, ...single };
    case 'allowed':
      return { type: choice.required ? 'any' : 'auto', ...single };
  }
}
