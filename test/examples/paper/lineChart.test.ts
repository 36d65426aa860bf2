import { describe, expect, it } from 'vitest';
import { lineChart } from '../../../examples/paper/plot/lineChart.ts';

describe('lineChart', () => {
  it('places values on its axes, keeps what lies outside at their ends, and lets no name end the file', () => {
    const svg = lineChart({
      title: 'Loss',
      x: { label: 'rate', ticks: [0.01, 1], isLogarithmic: true, values: [0.01, 0.1, 1] },
      y: { label: 'loss', ticks: [0, 2], isLogarithmic: false },
      series: [{ name: '</svg>&', color: '#000000', values: [0, 1, 9], deviations: [0, 0.5, 0] }],
    });
    // From the lower left corner over the middle to the upper right one.
    expect(svg).toContain('<polyline points="64,346 267,195 470,44"');
    expect(svg).toContain('<polygon points="64,346 267,119.5 470,44 470,44 267,270.5 64,346"');
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
    expect(svg).toContain('&lt;/svg&gt;&amp;');
  });
});
