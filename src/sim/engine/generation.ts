/** Runs one generating request: a job per choice through the slots, its pieces through the format, out on the exchange. */
import { createAnswer, type Piece } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { EngineError } from './engine-error.ts';
import type { AnswerContext, AnswerFormat, Choice } from './formats/format.ts';
import { generationParams } from './generation-params.ts';
import type { GenerationRequest } from './generation-request.ts';
import type { Runner } from './runner.ts';
import type { SlotJob, SlotRun } from './slot-pool.ts';
import { StopWatcher } from './stop-watcher.ts';
import { countTokens } from './tokens.ts';

export interface GenerationOptions {
  readonly exchange: Exchange;
  readonly runner: Runner;
  readonly request: GenerationRequest;
  readonly createFormat: (context: AnswerContext) => AnswerFormat;
  /** A chat: the model may think and call tools. */
  readonly chat: boolean;
  readonly text: 'english' | 'mixed';
  /** Decides the texts; one per choice is derived from it. */
  readonly seed: number;
  readonly newId: () => string;
  readonly epochMs: () => number;
}

/** What the jobs of one request share. */
interface Generation extends GenerationOptions {
  readonly context: AnswerContext;
  readonly format: AnswerFormat;
}

export function startGeneration(options: GenerationOptions): void {
  const { request, runner } = options;
  const entries = request.prompts.flatMap((prompt) => Array.from({ length: request.choices }, () => prompt));
  const jobs = entries.map((prompt, index) => {
    const answer = createAnswer({
      seed: options.seed + index,
      thinks: options.chat && runner.model.thinks === true && request.mayThink,
      tools: options.chat ? request.tools : [],
      schema: request.schema,
      endless: request.endless,
      text: options.text,
    });
    const tool = answer.tool === undefined ? undefined : { id: options.newId(), name: answer.tool };
    return { answer, choice: createChoice(index, prompt, tool) };
  });
  const [first, ...others] = jobs.map(({ choice }) => choice);
  if (first === undefined) throw new EngineError(400, '"prompt" must not be empty');
  const context: AnswerContext = {
    id: options.newId(),
    model: runner.model.id,
    createdS: Math.floor(options.epochMs() / 1000),
    contextTokens: runner.model.contextTokens,
    request,
    choices: [first, ...others],
    newId: options.newId,
    epochS: () => Math.floor(options.epochMs() / 1000),
  };
  const generation: Generation = { ...options, context, format: options.createFormat(context) };
  for (const { answer, choice } of jobs)
    runner.pool.enqueue(createJob(generation, choice, () => answer.next()));
}

function createChoice(index: number, prompt: string, tool: Choice['tool']): Choice {
  return {
    index,
    prompt,
    promptTokens: Math.max(1, countTokens(prompt)),
    tool,
    run: undefined,
    reasoning: '',
    text: '',
    arguments: '',
    finish: undefined,
    stoppedBy: '',
  };
}

function createJob(generation: Generation, choice: Choice, nextPiece: () => Piece | undefined): SlotJob {
  const { exchange, request, format, context } = generation;
  const watcher = new StopWatcher(request.stops);
  const room = context.contextTokens - choice.promptTokens;
  const tokensMax = Math.min(request.tokensMax ?? Infinity, room);
  let upcoming = nextPiece();
  let params: Record<string, unknown> | undefined;

  function write(text: string): boolean {
    return request.stream ? exchange.write(text) : true;
  }

  return {
    prompt: choice.prompt,
    promptTokens: choice.promptTokens,
    usesCache: request.usesCache,
    slotWanted: request.slotWanted,
    get params() {
      params ??= generationParams({ request, full: false, chat: generation.chat });
      return params;
    },
    tokensMax,
    started(run) {
      choice.run = run;
      if (request.stream) exchange.startStream();
    },
    promptProgressed: () => (request.returnProgress ? write(format.progress?.(choice) ?? '') : true),
    tokenDue(run) {
      const piece = upcoming;
      upcoming = nextPiece();
      const text = takePiece(choice, piece, watcher);
      choice.finish = finishReason({ choice, run, tokensMax, over: upcoming === undefined, watcher });
      const rest = choice.finish === undefined || watcher.stoppedBy !== '' ? '' : watcher.flush();
      choice.text += rest;
      const shown = piece && { kind: piece.kind, text: text + rest };
      const opening = run.predictedN === 1 ? format.begin(choice) : '';
      const body = shown === undefined || shown.text === '' ? '' : writePiece(format, choice, shown);
      if (!write(opening + body)) return false;
      if (choice.finish === undefined) return true;
      endChoice(generation, choice);
      return false;
    },
    generatedText: () => choice.reasoning + choice.text + choice.arguments,
    abandoned() {
      if (!exchange.proxied) exchange.destroy();
      else if (!exchange.started)
        exchange.error(new EngineError(500, 'proxy error: Failed to read connection'));
      else {
        // What a router in front of llama-server writes when the model under a stream goes: raw text, clean end.
        exchange.write('proxy error: Failed to read connection');
        exchange.end();
      }
    },
  };
}

/** The finish reason belongs to the frame after the last piece, not to it. */
function writePiece(format: AnswerFormat, choice: Choice, piece: Piece): string {
  const { finish } = choice;
  choice.finish = undefined;
  const text = format.piece(choice, piece);
  choice.finish = finish;
  return text;
}

/** Adds a piece to its choice; returns the text of it that may be shown by now. */
function takePiece(choice: Choice, piece: Piece | undefined, watcher: StopWatcher): string {
  if (piece === undefined) return '';
  if (piece.kind === 'text') {
    const shown = watcher.feed(piece.text);
    choice.text += shown;
    choice.stoppedBy = watcher.stoppedBy;
    return shown;
  }
  if (piece.kind === 'reasoning') choice.reasoning += piece.text;
  else choice.arguments += piece.text;
  return piece.text;
}

interface TokenFacts {
  readonly choice: Choice;
  readonly run: SlotRun;
  readonly tokensMax: number;
  /** The model has nothing more to say. */
  readonly over: boolean;
  readonly watcher: StopWatcher;
}

function finishReason({ choice, run, tokensMax, over, watcher }: TokenFacts): Choice['finish'] {
  if (watcher.stoppedBy !== '') return 'stop';
  if (over) return choice.tool === undefined ? 'stop' : 'tool_calls';
  return run.predictedN >= tokensMax ? 'length' : undefined;
}

function endChoice({ exchange, request, format, context }: Generation, choice: Choice): void {
  const allEnded = context.choices.every((each) => each.finish !== undefined);
  if (request.stream) {
    exchange.write(format.end(choice) + (allEnded ? format.close() : ''));
    if (allEnded) exchange.end();
  } else if (allEnded) {
    exchange.json(200, format.whole());
  }
}
