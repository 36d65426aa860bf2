/** Convolutions of stride 1 that keep the size, with a ReLU between two of them. */
export interface Case {
  /** What is told of it. */
  readonly title: string;
  readonly batch: number;
  /** Length, or height and width. */
  readonly size: readonly number[];
  /** Taps along each axis; odd. */
  readonly kernel: number;
  /** Of the input, and of the output of every convolution. */
  readonly channels: readonly number[];
}

/** The cases by the name that `--sizes` takes. */
export const cases = {
  small: { title: 'Conv1d 64→64, kernel 3, 8 × 256', batch: 8, size: [256], kernel: 3, channels: [64, 64] },
  medium: {
    title: 'Conv2d 32→64, kernel 3 × 3, 8 × 32 × 32',
    batch: 8,
    size: [32, 32],
    kernel: 3,
    channels: [32, 64],
  },
  large: {
    title: 'Conv2d 64→128, kernel 3 × 3, 2 × 56 × 56',
    batch: 2,
    size: [56, 56],
    kernel: 3,
    channels: [64, 128],
  },
  chain: {
    title: 'four Conv2d 16→16 with ReLU, kernel 3 × 3, 8 × 32 × 32',
    batch: 8,
    size: [32, 32],
    kernel: 3,
    channels: [16, 16, 16, 16, 16],
  },
} satisfies Record<string, Case>;

/** What is computed: the output, or the output and the gradients of input, weights and biases. */
export type Pass = 'forward' | 'forward and backward';

/** A tensor that is the same in every program: number i is `sin(phase·(i + 1))`, scaled. */
export interface Wave {
  readonly shape: readonly number[];
  readonly phase: number;
  readonly scale: number;
}

/** The tensors of a case, in torch's layouts. */
export interface Inputs {
  readonly x: Wave;
  readonly weights: readonly Wave[];
  readonly biases: readonly Wave[];
  readonly dy: Wave;
}

/** The tensors of a case. */
export function inputsOf({ batch, size, kernel, channels }: Case): Inputs {
  const taps = size.map(() => kernel);
  const wave = (shape: readonly number[], phase: number, scale = 1): Wave => ({ shape, phase, scale });
  const outs = channels.slice(1);
  return {
    x: wave([batch, channels[0]!, ...size], 0.7),
    weights: outs.map((out, i) => {
      const fanIn = channels[i]! * kernel ** size.length;
      return wave([out, channels[i]!, ...taps], 1.1 + i, 1 / Math.sqrt(fanIn));
    }),
    biases: outs.map((out, i) => wave([out], 0.3 + i)),
    dy: wave([batch, channels.at(-1)!, ...size], 1.9),
  };
}
