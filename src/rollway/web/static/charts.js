// One small chart per KPI: the ratio of the two rates with its 95% band, and behind it the exposure.

const LIMITS = [0.02, 50];
const MOST = 3000;
const HEIGHT = 190;
const STEPS = [0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 20];

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const times = (value) => (value == null ? "–" : `${value.toFixed(2)}×`);

export class Charts {
  constructor() {
    this.at = [];
    this.share = [];
    this.kpis = {};
    this.plots = new Map();
    const redraw = () => { this.plots.forEach((plot) => plot.destroy()); this.plots.clear(); this.draw(); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    let width = innerWidth;
    addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; this.fit(); } });
  }

  take(series, isWhole) {
    if (isWhole) { this.at = []; this.share = []; this.kpis = {}; }
    const last = this.at.at(-1) ?? -Infinity;
    series.at.forEach((at, i) => {
      if (at <= last) return;
      this.at.push(at);
      this.share.push(series.share[i]);
      for (const [kpi, columns] of Object.entries(series.kpis)) {
        const kept = (this.kpis[kpi] ??= { ratio: [], ratio_low: [], ratio_high: [] });
        for (const name of Object.keys(kept)) {
          while (kept[name].length < this.at.length - 1) kept[name].push(null);
          kept[name].push(columns[name][i]);
        }
      }
    });
    const over = this.at.length - MOST;
    if (over > 0) for (const list of [this.at, this.share, ...Object.values(this.kpis).flatMap(Object.values)]) list.splice(0, over);
    this.draw();
  }

  data(kpi) {
    const { ratio, ratio_low, ratio_high } = this.kpis[kpi];
    const known = ratio_low.map((low, i) => low != null || ratio_high[i] != null);
    const low = ratio_low.map((value, i) => (known[i] ? value ?? LIMITS[0] : null));
    const high = ratio_high.map((value, i) => (known[i] ? value ?? LIMITS[1] : null));
    return [this.at, this.share, low, high, ratio.map((value) => value || null)];
  }

  draw() {
    for (const place of document.querySelectorAll(".chart")) {
      const { kpi } = place.dataset;
      if (this.at.length < 2 || !this.kpis[kpi]?.ratio_high.some((high) => high != null)) continue;
      place.querySelector(".chart-empty")?.remove();
      const plot = this.plots.get(kpi);
      if (plot && place.contains(plot.root)) plot.setData(this.data(kpi));
      else this.plots.set(kpi, new uPlot(options(place), this.data(kpi), place));
    }
  }

  fit() {
    this.plots.forEach((plot) => plot.setSize({ width: plot.root.parentNode.clientWidth, height: HEIGHT }));
  }
}

function options(place) {
  const tolerance = Number(place.dataset.tolerance);
  const [text, grid, line, bad, share, band] = ["--muted", "--line", "--run", "--bad", "--share", "--band"].map(css);
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    padding: [8, 0, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "kpis" }, points: { show: false }, y: false },
    scales: { x: { time: true }, share: { range: [0, 1] }, y: { distr: 3, log: 2, range: (plot) => range(plot, tolerance) } },
    axes: [
      { ...axis, size: 24, space: 56, grid: { show: false }, values: (plot, splits) => splits.map(clock(plot)) },
      { ...axis, scale: "y", size: 44, splits: steps, filter: (_, splits) => splits, values: (_, splits) => splits.map((value) => `${value}×`) },
      { ...axis, scale: "share", side: 1, size: 40, grid: { show: false }, splits: () => [0, 0.5, 1], values: (_, splits) => splits.map((value) => `${value * 100}%`) },
    ],
    series: [
      {},
      { label: "exposure", scale: "share", stroke: share, fill: share, width: 0, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
      { label: "low", scale: "y", width: 0, points: { show: false } },
      { label: "high", scale: "y", width: 0, points: { show: false } },
      { label: "ratio", scale: "y", stroke: line, width: 2, points: { show: false } },
    ],
    bands: [{ series: [3, 2], fill: band }],
    hooks: { draw: [(plot) => lines(plot, tolerance, bad, text)], setCursor: [(plot) => tip(plot, place)] },
  };
}

// The band is wide at first and narrows: what counts is the later half.
function range(plot, tolerance) {
  const later = plot.data.slice(2).flatMap((column) => column.slice(column.length >> 1));
  const shown = later.filter((value) => value > LIMITS[0] && value < LIMITS[1]);
  const reach = Math.max(1.3, tolerance, ...shown.map((value) => Math.max(value, 1 / value)));
  const span = Math.min(10, reach * 1.15);
  return [1 / span, span];
}

function steps(plot) {
  const { min, max } = plot.scales.y;
  const inside = STEPS.filter((value) => value >= min && value <= max);
  const every = Math.ceil(inside.length / 7);
  const middle = inside.indexOf(1);
  return inside.filter((_, i) => (i - middle) % every === 0);
}

function clock(plot) {
  const whole = plot.scales.x.max - plot.scales.x.min;
  const parts = { hour: "2-digit", minute: "2-digit" };
  if (whole < 300) parts.second = "2-digit";
  const style = whole > 36 * 3600 ? { day: "numeric", month: "short" } : parts;
  const format = new Intl.DateTimeFormat(undefined, style);
  return (seconds) => format.format(seconds * 1000);
}

function lines(plot, tolerance, bad, text) {
  const { ctx, bbox } = plot;
  for (const [value, colour, dash] of [[1, text, []], [tolerance, bad, [5, 4]]]) {
    const y = Math.round(plot.valToPos(value, "y", true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

function tip(plot, place) {
  const { idx } = plot.cursor;
  let note = place.querySelector(".tip");
  if (!note) { note = document.createElement("p"); note.className = "tip num"; place.append(note); }
  note.hidden = idx == null;
  if (idx == null) return;
  const [at, share, low, high, ratio] = plot.data.map((column) => column[idx]);
  const when = new Date(at * 1000).toLocaleTimeString();
  const open = (value) => (value == null || value <= LIMITS[0] || value >= LIMITS[1] ? "open" : times(value));
  note.textContent = `${when}  ${times(ratio)} (${open(low)} to ${open(high)})  at ${+(share * 100).toPrecision(3)}%`;
}
