import { formatShape, ParametrizeError } from '../errors.ts';
import { checkBoolean, checkInteger, checkOptions } from './options.ts';

/** Zeros around the input: a size, `'same'` for an output as large as the input, `'valid'` for none. */
export type Padding<Size> = Size | 'same' | 'valid';

/** Options of {@link Conv1d} and {@link Conv2d}; a number stands for every spatial axis. */
export interface ConvOptions<Size> {
  /** Steps between two outputs. Default 1. */
  readonly stride?: number | Size;
  /** Zeros on both sides of the input. Default 0. */
  readonly padding?: Padding<number | Size>;
  /** Steps between two elements of the kernel. Default 1. */
  readonly dilation?: number | Size;
  /** Number of groups that input and output channels are divided into; `inChannels` of them is depthwise. Default 1. */
  readonly groups?: number;
  /** Whether the layer adds a bias. Default true. */
  readonly bias?: boolean;
}

/** The options with every default filled in and every size written out. */
export interface ResolvedConvOptions<Size> {
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: Padding<Size>;
  readonly dilation: Size;
  readonly groups: number;
  readonly bias: boolean;
}

/**
 * Checks the arguments of a convolution's constructor and fills in the defaults.
 *
 * @param rank - number of spatial axes, the length of a Size
 * @throws {@link ParametrizeError} `OPTION`
 */
export function convOptions<Size extends readonly number[]>(
  caller: string,
  rank: number,
  inChannels: number,
  outChannels: number,
  kernelSize: number | Size,
  options: ConvOptions<Size>,
): ResolvedConvOptions<Size> {
  checkInteger(caller, 'inChannels', inChannels);
  checkInteger(caller, 'outChannels', outChannels);
  checkOptions(caller, options, ['stride', 'padding', 'dilation', 'groups', 'bias']);
  const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
  const size = (name: string, value: number | Size, minimum = 1): Size =>
    sizeOf(caller, rank, name, value, minimum) as readonly number[] as Size;
  checkBoolean(caller, 'bias', bias);
  checkInteger(caller, 'groups', groups);
  for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
    if (channels % groups === 0) continue;
    throw new ParametrizeError(
      'OPTION',
      `${caller}: ${name} is ${channels}, which ${groups} groups do not divide. Pass groups that divide inChannels and outChannels.`,
    );
  }
  const resolved = {
    kernelSize: size('kernelSize', kernelSize),
    stride: size('stride', stride),
    padding: typeof padding === 'string' ? padding : size('padding', padding, 0),
    dilation: size('dilation', dilation),
    groups,
    bias,
  };
  if (typeof padding === 'string') checkNamedPadding(caller, padding, resolved.stride);
  return resolved;
}

function sizeOf(
  caller: string,
  rank: number,
  name: string,
  value: number | readonly number[],
  minimum: number,
): readonly number[] {
  if (!Array.isArray(value)) {
    checkInteger(caller, name, value as number, minimum);
    return new Array<number>(rank).fill(value as number);
  }
  if (value.length !== rank) {
    throw new ParametrizeError(
      'OPTION',
      `${caller}: ${name} is ${formatShape(value)}, it must be one number or ${rank === 1 ? 'an array of one' : `${rank} numbers`}.`,
    );
  }
  for (const item of value) checkInteger(caller, `an element of ${name}`, item, minimum);
  return [...value];
}

function checkNamedPadding(caller: string, padding: string, stride: readonly number[]): void {
  if (padding !== 'same' && padding !== 'valid') {
    throw new ParametrizeError(
      'OPTION',
      `${caller}: padding is '${padding}', it must be 'same', 'valid' or a size.`,
    );
  }
  if (padding === 'same' && stride.some((step) => step !== 1)) {
    throw new ParametrizeError(
      'OPTION',
      `${caller}: padding is 'same' but stride is ${formatShape(stride)}, and only stride 1 keeps the size. Pass the padding as numbers, or leave the stride out.`,
    );
  }
}
