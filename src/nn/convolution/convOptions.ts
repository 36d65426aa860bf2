import { checkBoolean, checkChoice, checkInteger, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { perAxis } from '../layout/spatialInput.ts';
import { type PaddingMode, paddingModes } from '../padding/padAxes.ts';

/** The padding of the input: a size, `'same'` for an output as large as the input, `'valid'` for no padding. */
type Padding<Size> = Size | 'same' | 'valid';

/** {@link Padding}, and `'causal'` for padding at the beginning only. */
export type PaddingOrCausal<Size> = Padding<Size> | 'causal';

/** Options of {@link Conv1d}, {@link Conv2d} and {@link Conv3d}; a number stands for every spatial axis. */
export interface ConvOptions<Size> {
  /** The number of steps between two outputs. Default 1. */
  readonly stride?: number | Size;
  /** The number of elements added on both sides of the input. Default 0. */
  readonly padding?: Padding<number | Size>;
  /**
   * The content of the padding: zeros, the input mirrored at its edge, the edge repeated, or the other end. Default
   * `'zeros'`.
   */
  readonly paddingMode?: PaddingMode;
  /** The number of steps between two elements of the kernel. Default 1. */
  readonly dilation?: number | Size;
  /**
   * The number of groups of input and output channels. With `inChannels` groups, the convolution is depthwise. Default
   * 1.
   */
  readonly groups?: number;
  /** True if the layer adds a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * Options of {@link ConvTranspose1d}, {@link ConvTranspose2d} and {@link ConvTranspose3d}; a number applies to every
 * spatial axis.
 */
export interface ConvTransposeOptions<Size> {
  /** The number of steps between two inputs, in output elements. Default 1. */
  readonly stride?: number | Size;
  /** The number of elements removed from both sides of the output. Default 0. */
  readonly padding?: number | Size;
  /** The number of elements added at the end of the output; less than stride or dilation. Default 0. */
  readonly outputPadding?: number | Size;
  /** The number of groups of input and output channels. Default 1. */
  readonly groups?: number;
  /** True if the layer adds a bias. Default true. */
  readonly bias?: boolean;
  /** The number of steps between two elements of the kernel. Default 1. */
  readonly dilation?: number | Size;
}

/** The options with all defaults and with a number for every axis. */
export interface ResolvedConvOptions<Size, P = PaddingOrCausal<Size>> {
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: P;
  readonly paddingMode: PaddingMode;
  readonly dilation: Size;
  readonly outputPadding: Size;
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
  options: Omit<ConvOptions<Size>, 'padding'> & { readonly padding?: PaddingOrCausal<number | Size> },
): ResolvedConvOptions<Size> {
  const known = ['stride', 'padding', 'paddingMode', 'dilation', 'groups', 'bias'];
  checkOptions(caller, options, known);
  const { padding = 0, paddingMode = 'zeros' } = options;
  checkChoice(caller, 'paddingMode', paddingMode, paddingModes);
  const common = commonOptions(caller, rank, inChannels, outChannels, kernelSize, options);
  if (typeof padding === 'string') checkNamedPadding(caller, padding, paddingMode, common.stride);
  return {
    ...common,
    padding: typeof padding === 'string' ? padding : perAxis<Size>(caller, rank, 'padding', padding, 0),
    paddingMode,
    outputPadding: perAxis<Size>(caller, rank, 'outputPadding', 0, 0),
  };
}

/**
 * Checks the arguments of a transposed convolution's constructor and fills in the defaults.
 *
 * @param rank - number of spatial axes, the length of a Size
 * @throws {@link ParametrizeError} `OPTION`
 */
export function convTransposeOptions<Size extends readonly number[]>(
  caller: string,
  rank: number,
  inChannels: number,
  outChannels: number,
  kernelSize: number | Size,
  options: ConvTransposeOptions<Size>,
): ResolvedConvOptions<Size, Size> {
  checkOptions(caller, options, ['stride', 'padding', 'outputPadding', 'groups', 'bias', 'dilation']);
  const common = commonOptions(caller, rank, inChannels, outChannels, kernelSize, options);
  const outputPadding = perAxis<Size>(caller, rank, 'outputPadding', options.outputPadding ?? 0, 0);
  outputPadding.forEach((added, axis) => {
    const [stride, dilation] = [common.stride[axis]!, common.dilation[axis]!];
    if (added < Math.max(stride, dilation)) return;
    throw refusal(
      'OPTION',
      caller,
      `outputPadding is ${formatShape(outputPadding)}, along axis ${axis} it must be less than the stride ${stride} or the dilation ${dilation}`,
      'Pass a smaller one.',
    );
  });
  return {
    ...common,
    padding: perAxis<Size>(caller, rank, 'padding', options.padding ?? 0, 0),
    paddingMode: 'zeros',
    outputPadding,
  };
}

function commonOptions<Size extends readonly number[]>(
  caller: string,
  rank: number,
  inChannels: number,
  outChannels: number,
  kernelSize: number | Size,
  options: Pick<ConvOptions<Size>, 'stride' | 'dilation' | 'groups' | 'bias'>,
) {
  const { stride = 1, dilation = 1, groups = 1, bias = true } = options;
  checkInteger(caller, 'inChannels', inChannels);
  checkInteger(caller, 'outChannels', outChannels);
  checkBoolean(caller, 'bias', bias);
  checkInteger(caller, 'groups', groups);
  for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
    if (channels % groups === 0) continue;
    throw refusal(
      'OPTION',
      caller,
      `${name} is ${channels}, which ${groups} groups do not divide`,
      'Pass groups that divide inChannels and outChannels.',
    );
  }
  return {
    kernelSize: perAxis<Size>(caller, rank, 'kernelSize', kernelSize),
    stride: perAxis<Size>(caller, rank, 'stride', stride),
    dilation: perAxis<Size>(caller, rank, 'dilation', dilation),
    groups,
    bias,
  };
}

function checkNamedPadding(
  caller: string,
  padding: string,
  paddingMode: PaddingMode,
  stride: readonly number[],
): void {
  const names = ['same', 'valid', ...(stride.length === 1 ? ['causal'] : [])];
  if (!names.includes(padding)) {
    throw refusal(
      'OPTION',
      caller,
      `padding is '${padding}', it must be ${names.map((name) => `'${name}'`).join(', ')} or a size`,
    );
  }
  if (padding === 'same' && stride.some((step) => step !== 1)) {
    throw refusal(
      'OPTION',
      caller,
      `padding is 'same' but stride is ${formatShape(stride)}, and only stride 1 keeps the size`,
      'Pass the padding as numbers, or leave the stride out.',
    );
  }
  if (padding === 'causal' && (paddingMode === 'reflect' || paddingMode === 'circular')) {
    throw refusal(
      'OPTION',
      caller,
      `padding is 'causal' but paddingMode is '${paddingMode}', which fills the beginning with later elements`,
      "Use paddingMode 'zeros' or 'replicate'.",
    );
  }
}
