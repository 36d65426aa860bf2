import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mappingText } from '../../src/nn/stateDict/keyMapping.ts';
import { type Factor, Layout } from '../../src/stateDict/layout.ts';
import { flatten } from '../toBeAllClose.ts';

/** Factors in an order of their own, cut into axes at random places. */
const axesOf = (factors: readonly Factor[]): fc.Arbitrary<Factor[][]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...factors], { minLength: factors.length }),
      fc.array(fc.boolean(), { minLength: factors.length, maxLength: factors.length }),
    )
    .map(([order, cuts]) =>
      order.reduce<Factor[][]>((axes, factor, i) => {
        if (i === 0 || cuts[i]) axes.push([factor]);
        else axes.at(-1)!.push(factor);
        return axes;
      }, []),
    );

const layouts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }).chain((sizes) => {
  const factors = sizes.map((size, i) => ({ name: 'abcd'[i]!, size }));
  return fc.tuple(axesOf(factors), axesOf(factors));
});

const numbers = (shape: number[]): tf.Tensor =>
  tf.reshape(tf.range(0, tf.util.sizeFromShape(shape), 1, 'float32'), shape);

describe('a layout', () => {
  it('comes back from torch as it was, and gives the elements of the factors they belong to', () => {
    fc.assert(
      fc.property(layouts, ([torch, other]) => {
        const layout = new Layout(torch, other);
        tf.tidy(() => {
          const value = numbers(layout.shape);
          const moved = layout.toTorch(value);
          expect(moved.shape).toEqual(layout.torchShape);
          expect(flatten(layout.fromTorch(moved))).toEqual(flatten(value));
          expect(flatten(moved)).toEqual(elementByElement(torch, other));
        });
      }),
    );
  });

  it('moves a tensor of one along some axes as a slice of a whole one', () => {
    fc.assert(
      fc.property(layouts, fc.infiniteStream(fc.boolean()), ([torch, other], kept) => {
        const layout = new Layout(torch, other);
        const axes = layout.shape.flatMap((_, axis) => (kept.next().value ? [axis] : []));
        const dims = layout.torchAxes(axes);
        fc.pre(dims !== null);
        tf.tidy(() => {
          const others = layout.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
          const torchOthers = layout.torchShape
            .map((_, axis) => axis)
            .filter((axis) => !dims!.includes(axis));
          const value = numbers(layout.shape);
          const moved = layout.toTorch(tf.max(value, others, true));
          expect(flatten(moved)).toEqual(flatten(tf.max(layout.toTorch(value), torchOthers, true)));
          expect(flatten(layout.fromTorch(moved))).toEqual(flatten(tf.max(value, others, true)));
        });
      }),
    );
  });

  const [h, w, c, out] = ['h', 'w', 'c', 'out'].map((name, i) => ({ name, size: i + 2 })) as [
    Factor,
    Factor,
    Factor,
    Factor,
  ];
  it.each([
    [new Layout([[out], [c, h, w]], [[h, w, c], [out]]), 'transposed [out, c·h·w] → [h·w·c, out]'],
    [new Layout([[out]], [[out]]), 'as it is'],
    [new Layout([[c]], [[], [], [c]]), 'reshaped [c] → [1, 1, c]'],
    [new Layout([[c], [h, w]], [[h, w], [c]]), 'transposed [c, h·w] → [h·w, c]'],
  ])('says what it does', (layout, text) => {
    const action = layout.action();
    expect(mappingText({ actions: action === null ? [] : [action] })).toBe(text);
  });

  it('knows which axes are whole in both', () => {
    const layout = new Layout([[c, h], [], [w]], [[w], [c], [h]]);
    expect(layout.torchAxes([1, 2])).toEqual([0]);
    expect(layout.torchAxes([1])).toBe(null);
    expect(layout.axes([0])).toEqual([1, 2]);
    expect(layout.axes([2])).toEqual([0]);
  });
});

/** The elements in torch's order, found by their indices along each factor. */
function elementByElement(torch: Factor[][], other: Factor[][]): number[] {
  const [to, from] = [torch.flat(), other.flat()];
  const size = to.reduce((product, factor) => product * factor.size, 1);
  return Array.from({ length: size }, (_, place) => {
    const index = new Map<Factor, number>();
    let rest = place;
    for (const factor of [...to].reverse()) {
      index.set(factor, rest % factor.size);
      rest = Math.floor(rest / factor.size);
    }
    return from.reduce((at, factor) => at * factor.size + index.get(factor)!, 0);
  });
}
