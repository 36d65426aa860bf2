import { describe, expect, it } from 'vitest';
import { readOptions } from '../../../examples/mnist/readOptions.ts';
import { reportPage } from '../../../examples/mnist/report/reportPage.ts';
import { runOf } from './run.ts';

describe('reportPage', () => {
  it('lets no name end its script or its table', () => {
    const hostile = runOf('</script><b>&"', 1, 0.5);
    const norms = [1, 2].map(() => ({ name: 'norm', least: 1, largest: 1 }));
    const critics = [1, 2].map(() => ({ name: 'critic', iterationsPerStep: 3, durations: [1], loss: 1 }));
    const page = reportPage({ runs: [hostile], norms, critics }, readOptions([]));
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page).not.toContain('<b>');
    expect(page).toContain('&lt;/script&gt;&lt;b&gt;&amp;&quot;');
  });
});
