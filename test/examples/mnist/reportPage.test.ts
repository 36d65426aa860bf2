import { describe, expect, it } from 'vitest';
import { reportPage } from '../../../examples/mnist/report/reportPage.ts';
import type { Run } from '../../../examples/mnist/runVariant.ts';

describe('reportPage', () => {
  it('lets no name end its script or its table', () => {
    const hostile: Run = {
      name: '</script><b>&"',
      losses: [1, 0.5],
      durations: [3, 4],
      accuracies: [0.5],
      usage: { training: { reads: 0, evaluations: 0 }, testing: { reads: 0, evaluations: 0 } },
      tensors: { before: 0, after: 0 },
      fold: null,
    };
    const page = reportPage([hostile], {
      epochs: 1,
      batchSize: 2,
      learningRate: 0.1,
      seed: 1,
      backend: 'cpu',
      report: 'report.html',
    });
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page).not.toContain('<b>');
    expect(page).toContain('&lt;/script&gt;&lt;b&gt;&amp;&quot;');
  });
});
