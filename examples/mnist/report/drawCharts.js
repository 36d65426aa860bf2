// Runs in the page of the report, where `uPlot` is there already.
(() => {
  const charts = JSON.parse(document.getElementById('data').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const height = 320;

  // Weight norm alone lies on the plain runs: a wide line below, thin ones above.
  const strokes = [
    { light: '#0072b2', dark: '#56b4e9', width: 2 },
    { light: '#e69f0099', dark: '#e69f0099', width: 6 },
    { light: '#7a1fa2', dark: '#ffffff', width: 2 },
  ];
  const dashes = [undefined, [8, 5], [2, 4], [12, 4, 2, 4]];

  const labelOf = (tick) => {
    if (tick == null) return '';
    return tick !== 0 && Math.abs(tick) < 1e-3 ? tick.toExponential(0) : String(Number(tick.toPrecision(3)));
  };

  const optionsOf = ({ title, x, y, series }) => {
    const style = getComputedStyle(document.documentElement);
    const [faint, grid] = ['--faint', '--grid'].map((name) => style.getPropertyValue(name));
    const axis = (label) => ({
      label,
      stroke: faint,
      font: '12px system-ui',
      labelFont: '13px system-ui',
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
    });
    return {
      title,
      width: 480,
      height,
      scales: { x: { time: false }, y: y.log ? { distr: 3 } : {} },
      axes: [
        { ...axis(x.label), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 1e5] },
        { ...axis(y.label), values: (_, ticks) => ticks.map(labelOf) },
      ],
      series: [
        { label: x.label },
        ...series.map(({ name, variant, seed }) => ({
          label: name,
          stroke: dark.matches ? strokes[variant].dark : strokes[variant].light,
          width: strokes[variant].width,
          dash: dashes[seed % dashes.length],
          points: x.values.length > 60 ? { show: false } : { show: true, size: strokes[variant].width + 5 },
          value: (_, value) => (value == null ? '–' : value.toFixed(y.digits)),
        })),
      ],
    };
  };

  const plots = new Map();
  const resizing = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries)
      plots.get(target).setSize({ width: contentRect.width, height });
  });

  /** Draws all charts anew, because a canvas does not follow the colour scheme by itself. */
  const draw = () => {
    resizing.disconnect();
    plots.clear();
    const container = document.getElementById('charts');
    container.replaceChildren();
    for (const chart of charts) {
      const card = document.createElement('div');
      card.className = 'chart';
      container.append(card);
      const data = [chart.x.values, ...chart.series.map(({ values }) => values)];
      plots.set(card, new uPlot(optionsOf(chart), data, card));
      resizing.observe(card);
    }
  };
  draw();
  dark.addEventListener('change', draw);
})();
