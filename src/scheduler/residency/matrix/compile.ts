/** From set expressions to one shared graph of nodes: names resolved to models, references to the nodes of other sets. */
import type { ModelName } from '../../../domain/ids.ts';
import { MatrixError, parseExpression, type Expression } from './expression.ts';

/** A node is shared by every set that refers to it; `id` keys the solver's memory. */
export type MatrixNode =
  | { readonly id: number; readonly kind: 'model'; readonly model: ModelName }
  | { readonly id: number; readonly kind: 'and' | 'or'; readonly parts: readonly MatrixNode[] };

export interface MatrixProgram {
  /** In order of preference: sets that others refer to before those, else as defined. */
  readonly sets: readonly { readonly name: string; readonly root: MatrixNode }[];
}

export interface MatrixSource {
  /** Short names for models. A var hides a model of the same name. */
  readonly vars: ReadonlyMap<string, ModelName>;
  /** Set expressions in the order of definition. */
  readonly sets: ReadonlyMap<string, string>;
  readonly isModel: (name: string) => boolean;
}

/** Throws MatrixError naming the set for bad syntax, unknown names, undefined or circular references, and no sets at all. */
export function compileMatrix(source: MatrixSource): MatrixProgram {
  if (source.sets.size === 0) throw new MatrixError('matrix has no sets');
  const done = new Map<string, MatrixNode>();
  const open = new Set<string>();
  const models = new Map<ModelName, MatrixNode>();
  let nodes = 0;

  function compileSet(name: string): MatrixNode {
    const known = done.get(name);
    if (known !== undefined) return known;
    const text = source.sets.get(name);
    if (text === undefined) throw new MatrixError(`reference to undefined set '${name}'`);
    if (open.has(name)) throw new MatrixError(`circular reference through set '${name}'`);
    open.add(name);
    const root = inSet(name, () => build(parseExpression(text)));
    open.delete(name);
    done.set(name, root);
    return root;
  }

  function build(expression: Expression): MatrixNode {
    switch (expression.kind) {
      case 'reference':
        return compileSet(expression.set);
      case 'name':
        return modelNode(expression.name);
      case 'and':
      case 'or':
        return { id: nodes++, kind: expression.kind, parts: expression.parts.map(build) };
    }
  }

  function modelNode(name: string): MatrixNode {
    const model = source.vars.get(name) ?? name;
    if (!source.isModel(model)) throw new MatrixError(`unknown var or model '${name}'`);
    let node = models.get(model);
    if (node === undefined) {
      node = { id: nodes++, kind: 'model', model };
      models.set(model, node);
    }
    return node;
  }

  for (const name of source.sets.keys()) compileSet(name);
  return { sets: [...done].map(([name, root]) => ({ name, root })) };
}

function inSet<Result>(name: string, step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof MatrixError) || error.message.startsWith('set ')) throw error;
    throw new MatrixError(`set '${name}': ${error.message}`);
  }
}
