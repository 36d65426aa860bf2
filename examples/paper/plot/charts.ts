import { curve, type Grid, lastLoss } from '../grid.ts';
import { initialized, meanOnly, methods, weightNormed } from '../methods.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { type LineChart, lineChart, type Series } from './lineChart.ts';

const colors = ['#59626d', '#e69f00', '#7a1fa2', '#009e73', '#0072b2'];

/** The plots, by the names of their files. */
export function charts(grid: Grid): Record<string, string> {
  const stepCount = grid.runs[0]!.losses.length;
  // More points than this make the file larger, and the line not smoother.
  const stride = Math.ceil(stepCount / 125);
  const steps = Array.from({ length: Math.ceil(stepCount / stride) }, (_, i) => i * stride + 1);
  const rates = {
    label: 'learning rate of Adam',
    values: grid.rates,
    ticks: grid.rates,
    isLogarithmic: true,
  };
  const losses = { label: 'training loss (nats)', ticks: [0.1, 0.2, 0.5, 1, 2, 4], isLogarithmic: true };
  const bySteps: LineChart = {
    title: `Mean loss of ten steps, each method with its best rate, ${grid.seeds.length} seeds`,
    x: {
      label: 'step',
      values: steps,
      ticks: [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => Math.round(part * stepCount)),
      isLogarithmic: false,
    },
    y: losses,
    series: methods.map((method, i) => {
      const curves = grid.best(method).map(curve);
      return seriesOf(
        method.name,
        i,
        steps.map((step) => spreadOf(curves.map((values) => values[step - 1]!))),
      );
    }),
  };
  const byRates: LineChart = {
    title: 'Loss after training, by the learning rate',
    x: rates,
    y: losses,
    series: methods.map((method, i) =>
      seriesOf(
        method.name,
        i,
        grid.rates.map((rate) => spreadOf(grid.of(method, rate).map(lastLoss))),
      ),
    ),
  };
  const growth: LineChart = {
    title: 'Growth of ‖v‖ in training, by the learning rate',
    x: rates,
    y: { label: '‖v‖ after / before', ticks: [1, 1.5, 2, 3, 5, 8], isLogarithmic: true },
    series: [weightNormed, initialized, meanOnly].map((method) =>
      seriesOf(
        method.name,
        methods.indexOf(method),
        grid.rates.map((rate) => spreadOf(grid.of(method, rate).map((run) => run.growth))),
      ),
    ),
  };
  return {
    'loss.svg': lineChart(bySteps),
    'learning-rate.svg': lineChart(byRates),
    'growth.svg': lineChart(growth),
  };
}

const seriesOf = (name: string, color: number, spreads: readonly Spread[]): Series => ({
  name,
  color: colors[color]!,
  values: spreads.map(({ mean }) => mean),
  deviations: spreads.map(({ deviation }) => deviation),
});
