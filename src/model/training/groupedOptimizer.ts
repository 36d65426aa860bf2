import type { Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { pluralize } from '../../core/text.ts';
import { textTable } from '../../core/textTable.ts';
import { CompositeOptimizer, type GradientsByName, gradientsOf } from '../../engine/compositeOptimizer.ts';
import { learningRateOf } from '../../engine/optimizerFields.ts';
import { type OptimizerParts, PARTS, type Part } from '../../engine/optimizerParts.ts';
import { isAlive } from '../../engine/variable.ts';
import { transaction, undoable } from '../../parametrize/transaction.ts';
import { planState } from '../optimizerState.ts';
import { parametersOf } from '../parametersOf.ts';
import type { Group, GroupOptimizer } from './groupOptimizer.ts';
import { type GroupedParameter, groupParameters } from './groupParameters.ts';

type OptimizerWeights = Awaited<ReturnType<Optimizer['getWeights']>>;

/** True for an optimizer that has groups itself; `instanceof` is true for every optimizer of tfjs. */
export const isGrouped = (optimizer: Optimizer): boolean => optimizer.getClassName() === CLASS_NAME;

const CLASS_NAME = 'GroupOptimizer';

/** One optimizer of several, for groups of the parameters of a model. */
export class GroupedOptimizer extends CompositeOptimizer implements GroupOptimizer {
  readonly [PARTS]: OptimizerParts;
  private readonly model: object;
  private readonly given: readonly Group[];
  /** The parameters of each group. */
  private members: readonly (readonly GroupedParameter[])[];
  private groupOf: ReadonlyMap<Variable, Group>;

  /** @throws {@link ParametrizeError} as `groupOptimizer` */
  constructor(model: object, given: readonly Group[]) {
    super();
    this.model = model;
    this.given = given;
    this.members = groupParameters('groupOptimizer', model, given);
    this.groupOf = this.groupsOf(this.members);
    this[PARTS] = {
      optimizers: [...new Set(given.flatMap(({ optimizer }) => optimizer ?? []))],
      ofStep: (variables) => {
        this.checkStep(variables ?? parametersOf('minimize', this.model));
        return this.partsOf(this.members);
      },
      renew: (caller) => {
        const members = groupParameters(caller, this.model, this.given);
        const commit = (): void => {
          const before = [this.members, this.groupOf] as const;
          undoable(() => {
            [this.members, this.groupOf] = before;
          });
          this.members = members;
          this.groupOf = this.groupsOf(members);
        };
        return { parts: this.partsOf(members), commit };
      },
    };
  }

  get groups(): readonly { readonly keys: readonly string[] }[] {
    return this.members.map((members) => ({ keys: members.map(({ key }) => key) }));
  }

  sync(): void {
    transaction(planState('sync', this, [], () => false));
  }

  override computeGradients(
    loss: () => Scalar,
    variables: Variable[] = [...this.groupOf.keys()],
  ): ReturnType<Optimizer['computeGradients']> {
    const trained = variables.filter((variable) => this.groupOf.get(variable)?.optimizer !== null);
    return super.computeGradients(loss, trained);
  }

  protected override step(gradients: GradientsByName, parts: readonly Part[]): void {
    for (const [variable, { optimizer, weightDecay = 0 }] of this.groupOf) {
      if (optimizer === null || weightDecay === 0 || gradients.get(variable.name) == null) continue;
      variable.assign(tf.mul(variable as Tensor, 1 - learningRateOf(optimizer) * weightDecay));
    }
    for (const [optimizer, own] of parts) {
      const wanted = gradientsOf(own!, gradients);
      if (wanted.some(({ tensor }) => (tensor as Tensor | null | undefined) != null)) {
        optimizer.applyGradients(wanted);
      }
    }
  }

  override async getWeights(): Promise<OptimizerWeights> {
    const { optimizers } = this[PARTS];
    const weights = await Promise.all(optimizers.map((optimizer) => optimizer.getWeights()));
    return weights.flatMap((own, i) => own.map(({ name, tensor }) => ({ name: `${i}/${name}`, tensor })));
  }

  override async setWeights(weights: OptimizerWeights): Promise<void> {
    const { optimizers } = this[PARTS];
    const byPart = optimizers.map((_, i) =>
      weights
        .filter(({ name }) => name.startsWith(`${i}/`))
        .map(({ name, tensor }) => ({ name: name.slice(`${i}/`.length), tensor })),
    );
    const taken = byPart.flat().length;
    if (taken < weights.length || byPart.some((own) => own.length === 0)) {
      throw refusal(
        'OPTION',
        'setWeights',
        `${pluralize(taken, 'weight')} of ${weights.length} are those of ${optimizers.length} optimizers of groups`,
        'Pass the result of getWeights of an optimizer with the same groups.',
      );
    }
    await Promise.all(optimizers.map((optimizer, i) => optimizer.setWeights(byPart[i]!)));
  }

  override getClassName(): string {
    return CLASS_NAME;
  }

  /** @throws {@link ParametrizeError} `UNSUPPORTED` */
  override getConfig(): never {
    throw refusal(
      'UNSUPPORTED',
      'getConfig',
      'the groups of this optimizer belong to a model and cannot be saved',
      'Save the model without includeOptimizer, and the result of getWeights beside it.',
    );
  }

  override toString(): string {
    const head = ['group', 'parameters', 'elements', 'optimizer', 'learning rate', 'weight decay'];
    const rows = this.members.map((members, i) => {
      const { optimizer, weightDecay = 0 } = this.given[i]!;
      return [
        String(i),
        String(members.length),
        members.reduce((sum, { variable }) => sum + variable.size, 0).toLocaleString('en'),
        optimizer === null ? 'none' : optimizer.getClassName(),
        optimizer === null ? '' : String(learningRateOf(optimizer)),
        optimizer === null ? '' : String(weightDecay),
      ];
    });
    return textTable([head, ...rows], (column) => column !== 3);
  }

  private groupsOf(members: readonly (readonly GroupedParameter[])[]): ReadonlyMap<Variable, Group> {
    return new Map(
      members.flatMap((own, i) => own.map(({ variable }) => [variable, this.given[i]!] as const)),
    );
  }

  /** Every optimizer with all its parameters, always in the same order: tfjs keeps state by position. */
  private partsOf(members: readonly (readonly GroupedParameter[])[]): Part[] {
    return this[PARTS].optimizers.map((optimizer) => [
      optimizer,
      members.flatMap((own, i) =>
        this.given[i]!.optimizer === optimizer ? own.map(({ variable }) => variable) : [],
      ),
    ]);
  }

  /** Refuses a step after changes of the model that the groups do not have. */
  private checkStep(variables: readonly Variable[]): void {
    const unknown = variables.find((variable) => !this.groupOf.has(variable));
    const dead = [...this.groupOf.keys()].find((variable) => !isAlive(variable));
    if (unknown === undefined && dead === undefined) return;
    throw refusal(
      'NOT_SYNCED',
      'minimize',
      unknown === undefined
        ? `the variable '${dead!.name}' of a group has been disposed`
        : `the variable '${unknown.name}' is in no group`,
      'After registrations, removals or a fold, call sync() of the optimizer, or syncModel(model).',
    );
  }
}
