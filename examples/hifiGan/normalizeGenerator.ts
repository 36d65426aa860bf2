import { nn, type ParametrizeReport, parametrize, weightNorm } from 'tfjs-parametrize';
import type { Generator } from './generator.ts';

/** Registers weight norm where HiFi-GAN has it, on every convolution. A rule that matches nothing would be an error. */
export const normalizeGenerator = (generator: Generator): ParametrizeReport =>
  parametrize(generator, [
    { match: ['conv_pre', 'conv_post'], apply: weightNorm },
    // The norms of a file of torch are those of the input channels, the first axis, here as everywhere.
    { match: 'ups.*', type: nn.ConvTranspose1d, apply: weightNorm, options: { dim: 0 } },
    { match: 'resblocks.**', type: nn.Conv1d, apply: weightNorm },
  ]);
