// The page of a training run. Everything that a model wrote reaches the document as text nodes only.

// ---------------------------------------------------------------- helpers

const $ = id => document.getElementById(id);

function make(space, tag, props, children) {
  const node = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name.startsWith('--')) node.style.setProperty(name, value);
    else if (name === 'class') node.setAttribute('class', value);
    else if (name in node && !space) node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(9).filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

const h = (tag, props, ...children) => make(null, tag, props, children);
const s = (tag, props, ...children) => make('http://www.w3.org/2000/svg', tag, props, children);

/** Replaces what a node holds; what is no node or text is left out. */
function fill(node, ...children) {
  node.replaceChildren(...children.flat(9).filter(child => child !== null && child !== undefined && child !== false && child !== ''));
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const isNumber = value => typeof value === 'number' && Number.isFinite(value);
const fixed = (value, digits = 3) => isNumber(value) ? value.toFixed(digits).replace('-', '−') : '–';
const signed = (value, digits = 3) => isNumber(value) ? (value > 0 ? '+' : '') + fixed(value, digits) : '–';
const percent = value => isNumber(value) ? `${whole.format(value * 100)} %` : '–';
const money = value => value === 0 ? '0' : value < 0.01 ? '< 0.01' : value.toFixed(2);
const mean = values => values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : NaN;
const sum = values => values.reduce((total, value) => total + value, 0);

function short(value) {
  if (!isNumber(value)) return '–';
  const size = Math.abs(value);
  if (size >= 10000) return compact.format(value);
  if (size >= 100) return whole.format(value).replace('-', '−');
  return fixed(value, size >= 10 ? 1 : size >= 0.1 || size === 0 ? (size === 0 ? 0 : 2) : size >= 0.001 ? 4 : 6);
}

function span(seconds) {
  if (!isNumber(seconds)) return '–';
  const all = Math.max(0, Math.round(seconds));
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${String(all % 60).padStart(2, '0')} s`;
  return `${Math.floor(all / 3600)} h ${String(Math.floor(all / 60) % 60).padStart(2, '0')} min`;
}

async function load(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  return response.ok ? response.json() : null;
}

let toastTimer;
function toast(text) {
  $('toast').textContent = text;
  $('toast').classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $('toast').classList.remove('shown'), 6000);
}

// ---------------------------------------------------------------- state

const run = {
  hello: null, total: 0, firstStep: 0, steps: [], validations: [], notes: [], checks: null, finished: null,
  status: { phase: 'waiting' }, receivedAt: performance.now(), isConnected: false, isOver: false, hasAnswers: false, lastId: '',
};

const inOrder = (list, step) => { while (list.length && list.at(-1).step >= step) list.pop(); };

const handlers = {
  hello(message) {
    if (run.hello && run.hello.run !== message.run) location.reload(); // another run answers at this address
    run.hello = message;
    run.isConnected = true;
  },
  started(message) {
    run.total = message.steps;
    run.firstStep = message.firstStep;
    run.finished = null;
    if (message.firstStep > 0) note(message.firstStep, 'plain', `The run goes on at step ${message.firstStep + 1} of ${message.steps}.`);
    else if (run.hello?.isLive) note(null, 'plain', `The run begins: ${message.steps} steps.`);
  },
  step({ report, rewardError, seconds }) {
    inOrder(run.steps, report.step);
    run.steps.push({ step: report.step, report, rewardError, seconds });
    if (report.collapse) note(report.step, 'problem', report.collapse);
    if (rollouts.wantsCheckpointSince !== null && report.step > rollouts.wantsCheckpointSince + 1) {
      rollouts.wantsCheckpointSince = null;
      toast('No state was written: this run has no directory.');
    }
    rollouts.onStep();
  },
  validation({ validation, examples, comparison, hasAnswers }) {
    inOrder(run.validations, validation.step);
    run.validations.push({ step: validation.step, validation, examples, comparison });
    run.hasAnswers ||= hasAnswers;
    answers.isStale = true;
  },
  checked(message) { run.checks = message; },
  warning(message) { note(message.step < 0 ? null : message.step, 'warning', message.message); },
  rolledBack(message) {
    const to = message.returnedTo < 0 ? 'those before training' : `those after step ${message.returnedTo + 1}`;
    note(message.step, 'problem', `The policy had collapsed: ${message.reason} The weights are back to ${to}.`, 'rollback');
  },
  saved(message) {
    if (rollouts.wantsCheckpointSince !== null) toast('State saved: the run can go on from here.');
    rollouts.wantsCheckpointSince = null;
    note(message.nextStep - 1, 'plain', `State saved: ${message.directory}`, 'saved');
  },
  finished(message) {
    run.finished = message;
    const best = message.bestStep < 0 ? 'the original weights' : `the weights after step ${message.bestStep + 1}`;
    note(null, 'plain', `The run has ended (${reasonText(message.reason)}) and returned ${best}.`);
  },
  status(message) {
    run.status = message;
    run.receivedAt = performance.now();
  },
  closed() {
    run.isOver = true;
    run.isConnected = false;
    source.close();
  },
};

function note(step, kind, text, type) { run.notes.push({ step, kind, text, type }); }

const reasons = {
  completed: 'all steps done', requested: 'it was stopped', timeBudget: 'its time is up', tokenBudget: 'its tokens are spent',
  externalCallBudget: 'its external calls are spent', costBudget: 'its money is spent', modelBudget: 'the budget of a model is spent', collapsed: 'the policy collapsed',
  noImprovement: 'validation no longer improved',
};
const reasonText = reason => reasons[reason] ?? reason ?? 'ended';

let source;
function connect() {
  source = new EventSource(`/api/events${run.lastId ? `?after=${encodeURIComponent(run.lastId)}` : ''}`);
  for (const [type, handle] of Object.entries(handlers)) {
    source.addEventListener(type, event => {
      if (event.lastEventId) run.lastId = event.lastEventId;
      handle(JSON.parse(event.data));
      schedule();
    });
  }
  source.onerror = () => {
    run.isConnected = false;
    schedule();
    if (!run.isOver && source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  };
}

// ---------------------------------------------------------------- drawing, once a frame at most

let isScheduled = false;
function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    drawTop();
    if (view === 'overview') drawOverview();
    if (view === 'answers' && answers.isStale) answers.refresh();
    if (view === 'log') drawLog();
  });
}

const elapsed = () => run.status.phase === 'finished' || run.status.phase === 'stored' || run.isOver
  ? run.status.elapsed
  : (run.status.elapsed ?? 0) + (performance.now() - run.receivedAt) / 1000;

function timeLeft() {
  const timed = run.steps.filter(entry => isNumber(entry.seconds)).slice(-21);
  const done = run.steps.length ? run.steps.at(-1).step + 1 : run.firstStep;
  if (timed.length < 2 || done >= run.total) return null;
  const gaps = timed.slice(1).map((entry, i) => entry.seconds - timed[i].seconds).sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] * (run.total - done); // the median knows nothing of pauses
}

function stateOf() {
  const { status } = run;
  if (status.phase === 'stored') return ['done', 'kept run'];
  if (run.finished) return ['done', 'finished'];
  if (run.isOver) return ['off', 'process ended'];
  if (!run.isConnected) return ['bad', run.hello ? 'reconnecting' : 'connecting'];
  if (status.isStopping) return ['wait', 'stopping'];
  if (status.isPausing) return ['wait', 'pausing'];
  if (status.isPaused) return ['wait', 'paused'];
  if (status.phase === 'waiting') return ['off', 'waiting'];
  return ['on', 'running'];
}

function activityText() {
  const { status } = run;
  const done = run.steps.length ? run.steps.at(-1).step + 1 : run.firstStep;
  const at = `step ${Math.min(run.total, status.step + 1)} of ${run.total}`;
  if (run.finished) return `Ended after ${done} of ${run.total} steps: ${reasonText(run.finished.reason)}`;
  if (run.isOver) return 'The process that trains has ended; this is what it told.';
  if (!run.isConnected) return run.hello ? 'The connection is lost; trying again…' : 'Connecting…';
  if (status.isPausing) return 'The work under way is finished first, then the run waits';
  if (status.isPaused) return `Waiting after step ${done} of ${run.total}`;
  switch (status.phase) {
    case 'waiting': return 'No run has begun yet';
    case 'checking': return 'A few rollouts before training';
    case 'validating': return `Validating${status.step < 0 ? ' before training' : ` after step ${status.step + 1}`}: ${status.completed} of ${status.total}`;
    case 'rollouts': return `Rollouts of ${at}: ${status.completed} of ${status.total}`;
    case 'learning': return `Learning in ${at}`;
    case 'stored': return `${done} steps, read from the run's directory`;
    default: return `After step ${done} of ${run.total}`;
  }
}

function drawTop() {
  const [kind, word] = stateOf();
  $('state').dataset.kind = kind;
  $('state').lastElementChild.textContent = word;
  $('activity').textContent = activityText();
  const done = run.steps.length ? run.steps.at(-1).step + 1 : run.firstStep;
  const bar = $('progress');
  bar.setAttribute('aria-valuemax', run.total || 1);
  bar.setAttribute('aria-valuenow', done);
  bar.firstElementChild.style.width = `${run.total ? (100 * done) / run.total : 0}%`;
  const isLive = run.hello?.isLive ?? false;
  $('controls').hidden = !isLive || !!run.finished;
  const isDead = !run.isConnected || !!run.finished || run.status.isStopping === true;
  for (const id of ['pause', 'checkpoint', 'stop']) $(id).disabled = isDead;
  $('pause').textContent = run.status.isPaused ? 'Continue' : 'Pause';
  const findings = run.checks?.findings.filter(finding => finding.severity !== 'note').length ?? 0;
  const count = findings + run.notes.filter(entry => entry.kind !== 'plain').length;
  $('log-count').hidden = count === 0;
  $('log-count').textContent = count;
}

// ---------------------------------------------------------------- overview

function drawOverview() {
  drawBanner();
  drawTiles();
  drawCharts();
}

function drawBanner() {
  const banner = $('banner');
  const bad = run.checks?.findings.filter(finding => finding.severity === 'problem') ?? [];
  const rollback = run.notes.findLast(entry => entry.kind === 'problem');
  const link = h('button', { type: 'button', onclick: () => show('log', true) }, 'All notes');
  const verdict = run.finished?.comparison;
  banner.hidden = false;
  if (run.finished && verdict) {
    banner.dataset.kind = verdict.isSignificant ? (verdict.gain > 0 ? 'good' : 'problem') : 'plain';
    fill(banner, h('b', {}, verdictText(verdict)), h('span', {},
      `${fixed(verdict.baseline)} before, ${fixed(verdict.candidate)} after: ${signed(verdict.gain)}, 95 % interval ${signed(verdict.interval.low)} to ${signed(verdict.interval.high)}, by example.`));
  } else if (rollback) {
    banner.dataset.kind = 'problem';
    fill(banner, h('b', {}, `After step ${rollback.step + 1}`), h('span', {}, rollback.text), link);
  } else if (bad.length) {
    banner.dataset.kind = 'problem';
    fill(banner, h('b', {}, 'Found before training'), h('span', {}, bad[0].message), link);
  } else banner.hidden = true;
}

const verdictText = comparison => !comparison.isSignificant ? 'No significant change' : comparison.gain > 0 ? 'Better than before training' : 'Worse than before training';

function drawTiles() {
  const last = run.steps.at(-1)?.report;
  const reports = run.steps.map(entry => entry.report);
  const recent = reports.slice(-8);
  const baseline = run.validations.find(entry => entry.step < 0);
  const best = run.validations.reduce((top, entry) => !top || entry.validation.score > top.validation.score ? entry : top, null);
  const tokens = sum(reports.map(report => report.tokensSampled));
  const seconds = sum(recent.map(report => report.seconds.rollout));
  const unreadable = recent.length ? sum(recent.map(report => report.unreadableRollouts)) / Math.max(1, sum(recent.map(report => report.rolloutsKept))) : NaN;
  const estimate = run.checks?.estimate;
  // With checks and validations; the later of the two tells the most.
  const spent = [last, run.validations.at(-1)?.validation].filter(Boolean);
  const cost = Math.max(0, ...spent.map(entry => entry.costSoFar));
  const calls = Math.max(0, ...spent.map(entry => entry.externalCallsSoFar));
  const left = timeLeft();
  const comparison = best?.comparison;
  const tiles = [
    tile('Step', [`${last ? last.step + 1 : run.firstStep}`, h('small', {}, ` / ${run.total || '–'}`)], last ? `${whole.format(last.rolloutsGenerated)} rollouts a step` : ''),
    tile('Reward', fixed(mean(recent.map(report => report.rewardMean))),
      reports.length > 8 ? `first 8 steps: ${fixed(mean(reports.slice(0, 8).map(report => report.rewardMean)))}` : recent.length ? `mean of ${recent.length} steps` : ''),
    tile('Best validation', fixed(best?.validation.score), !baseline ? (best ? `after step ${best.step + 1}` : 'none yet')
      : best === baseline ? 'before training' : `${signed(best.validation.score - baseline.validation.score, 2)} ${comparison ? `[${fixed(comparison.interval.low, 2)}, ${fixed(comparison.interval.high, 2)}]` : ''}`,
    comparison?.isSignificant ? (comparison.gain > 0 ? 'good' : 'bad') : ''),
    tile('Unreadable', percent(unreadable), recent.length ? `of rollouts, last ${recent.length} steps` : ''),
    tile('Tokens sampled', tokens ? compact.format(tokens) : '0', seconds > 0.01 ? `${compact.format(sum(recent.map(report => report.tokensSampled)) / seconds)} a second` : ''),
    tile('External calls', compact.format(calls), estimate?.externalCalls ? `about ${compact.format(estimate.externalCalls)} in all` : calls ? 'so far' : 'judges and teachers'),
    tile('Cost', money(cost), estimate?.cost ? `about ${money(estimate.cost)} in all` : 'of external calls'),
    tile(run.finished || run.status.phase === 'stored' ? 'Time' : 'Time left', run.finished || run.status.phase === 'stored' ? span(elapsed()) : left === null ? '–' : span(left),
      run.finished ? 'in all' : run.status.phase === 'stored' ? 'in steps' : `${span(elapsed())} so far`),
  ];
  fill($('tiles'), ...tiles);
}

const tile = (label, value, under, kind) => h('dl', { class: 'tile', role: 'listitem' }, h('dt', {}, label), h('dd', {}, value), h('p', { class: kind ?? '' }, under || ' '));

// ---------------------------------------------------------------- charts

const charts = [];
let cursor = null; // the step under the pointer, in every chart

function specs() {
  const x = run.steps.map(entry => entry.step + 1);
  const of = value => run.steps.map(entry => value(entry.report, entry));
  const names = value => [...new Set(run.steps.flatMap(entry => Object.keys(value(entry.report) ?? {})))].sort();
  const marks = run.notes.filter(entry => entry.type === 'rollback').map(entry => entry.step + 1);
  const rewards = of(report => report.rewardMean);
  const predictors = names(report => report.groups).concat(names(report => report.formatFailuresByPredictor)).filter((name, i, all) => all.indexOf(name) === i);
  const parts = names(report => report.parts);
  const kl = of(report => report.kl);
  return [
    { id: 'reward', wide: true, title: 'Reward', sub: 'mean of rollouts, ±2 standard errors', x, marks, series: [
      { name: 'reward', tone: 0, values: rewards, faint: x.length > 20, low: of((report, entry) => report.rewardMean - 2 * (entry.rewardError ?? 0)), high: of((report, entry) => report.rewardMean + 2 * (entry.rewardError ?? 0)) },
      ...(x.length > 20 ? [{ name: 'mean of 8 steps', tone: 0, values: rolling(rewards, 8) }] : []),
    ] },
    validationSpec(marks),
    { id: 'format', title: 'Unreadable answers', sub: 'by predictor', x, marks, isStacked: true, isCount: true, none: 'Every answer could be read.',
      series: predictors.map((name, i) => ({ name, tone: i, values: of(report => report.formatFailuresByPredictor?.[name] ?? 0) })) },
    { id: 'length', title: 'Completion length', sub: 'tokens', x, marks, zero: true, series: [
      { name: 'mean', tone: 1, values: of(report => report.completionLengthMean) },
      { name: 'longest', tone: 1, dashed: true, values: of(report => report.completionLengthMax) },
      { name: 'shortest', tone: 2, dashed: true, values: of(report => report.completionLengthMin) },
    ] },
    { id: 'seconds', title: 'Seconds by phase', sub: 'a step', x, isStacked: true, digits: 2, series: [
      ['rollouts', 'rollout'], ['forward', 'forward'], ['backward', 'backward'], ['update', 'optimizer'], ['sync', 'sync'],
    ].map(([name, key], i) => ({ name, tone: [0, 1, 4, 2, 3][i], values: of(report => (report.seconds[key] ?? 0) - (key === 'rollout' ? report.seconds.overlapped ?? 0 : 0)) })) },
    { id: 'entropy', title: 'Entropy', sub: 'nats a token', x, marks, zero: true, series: [{ name: 'entropy', tone: 4, values: of(report => report.entropy) }] },
    { id: 'kl', title: 'Divergence (KL)', sub: 'from the weights at the start', x, marks, zero: true, none: kl.some(value => value !== 0) || !x.length ? null : 'Not measured: the loss has no KL penalty.',
      series: [{ name: 'KL', tone: 3, values: kl }] },
    parts.length
      ? { id: 'parts', title: 'Parts of the reward', sub: 'means', x, marks, series: parts.map((name, i) => ({ name, tone: i, values: of(report => report.parts?.[name]) })) }
      : { id: 'gradient', title: 'Gradient norm', sub: 'before clipping', x, marks, zero: true, series: [{ name: 'norm', tone: 2, values: of(report => report.gradientNorm) }] },
  ];
}

function validationSpec(marks) {
  const x = run.validations.map(entry => entry.step + 1);
  const of = value => run.validations.map(entry => value(entry.validation));
  const best = run.validations.reduce((top, entry, i) => top < 0 || entry.validation.score > run.validations[top].validation.score ? i : top, -1);
  const more = [['train', 'trainScore', 2], ['sampled', 'sampledScore', 4], ['best of samples', 'bestOfSamples', 3]].filter(([, key]) => run.validations.some(entry => isNumber(entry.validation[key])));
  const examples = run.validations.at(-1)?.examples;
  return { id: 'validation', wide: true, title: 'Validation score', sub: `95 % interval${examples ? `, ${whole.format(examples)} examples` : ''}`, x, marks, none: x.length ? null : 'No validation yet.',
    first: run.steps.length ? run.steps[0].step + 1 : undefined, last: run.steps.length ? run.steps.at(-1).step + 1 : undefined, best, series: [
      ...more.map(([name, key, tone]) => ({ name, tone, dashed: true, values: of(validation => validation[key]) })),
      { name: 'score', tone: 1, dots: true, values: of(validation => validation.score), low: of(validation => validation.interval.low), high: of(validation => validation.interval.high) },
    ] };
}

const rolling = (values, width) => values.map((_, i) => mean(values.slice(Math.max(0, i - width + 1), i + 1)));

function drawCharts() {
  const all = specs();
  const order = all.map(spec => spec.id).join();
  if ($('charts').dataset.order !== order) {
    $('charts').dataset.order = order;
    charts.length = 0;
    fill($('charts'), ...all.map(spec => {
      const chart = new Chart(spec);
      charts.push(chart);
      return chart.node;
    }));
  }
  all.forEach((spec, i) => charts[i].draw(spec));
}

class Chart {
  constructor(spec) {
    this.svg = s('svg', { tabindex: 0, role: 'img' });
    this.at = h('span', { class: 'at' });
    this.sub = h('span', { class: 'soft' });
    this.legend = h('ul', { class: 'legend' });
    this.node = h('figure', { class: spec.wide ? 'chart wide' : 'chart' }, h('header', {}, h('h3', {}, spec.title), this.sub, this.at), this.legend, this.svg);
    this.node.dataset.chart = spec.id;
    this.svg.addEventListener('pointermove', event => this.point(event));
    this.svg.addEventListener('pointerleave', () => setCursor(null));
    this.svg.addEventListener('blur', () => setCursor(null));
    this.svg.addEventListener('keydown', event => this.key(event));
    new ResizeObserver(() => { if (this.spec) this.draw(this.spec); }).observe(this.svg);
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    if (!this.scale || !this.spec.x.length) return;
    const value = this.scale.invert(event.clientX - box.left);
    setCursor(this.spec.x.reduce((near, x) => Math.abs(x - value) < Math.abs(near - value) ? x : near));
  }

  key(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (move === undefined || !this.spec.x.length) return;
    event.preventDefault();
    const x = this.spec.x;
    const at = cursor === null ? x.length - 1 : x.findLastIndex(value => value <= cursor);
    setCursor(x[Math.max(0, Math.min(x.length - 1, at + move))]);
    $('speak').textContent = `${this.spec.title}, ${stepName(cursor)}: ${this.values().map(([name, value]) => `${name} ${value}`).join(', ')}`;
  }

  index() {
    const { x } = this.spec;
    if (!x.length) return -1;
    return cursor === null ? x.length - 1 : x.findLastIndex(value => value <= cursor);
  }

  values() {
    const i = this.index();
    return this.spec.series.map(series => [series.name, i < 0 || i >= series.values.length ? '–' : this.spec.isCount ? whole.format(series.values[i]) : this.spec.digits ? fixed(series.values[i], this.spec.digits) : short(series.values[i])]);
  }

  draw(spec) {
    this.spec = spec;
    this.sub.textContent = spec.sub;
    const width = this.svg.clientWidth || 320;
    const height = this.svg.clientHeight || 170;
    const box = { left: 42, right: width - 12, top: 8, bottom: height - 22 };
    const columns = spec.isStacked ? stack(spec) : null;
    const isEmpty = !spec.x.length || (spec.none && (!columns || columns.every(column => column.top === 0)));
    this.drawLegend(isEmpty && !!spec.none);
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.setAttribute('aria-label', this.summary());
    this.scale = null;
    this.svg.classList.toggle('quiet', isEmpty);
    if (isEmpty) {
      fill(this.svg, s('text', { class: 'none', x: width / 2, y: height / 2, 'text-anchor': 'middle' }, spec.none ?? 'Nothing yet.'));
      return;
    }
    const y = scaleOf(spec, columns, box);
    const x = horizontal(spec, box);
    this.scale = x;
    const parts = [];
    for (const tick of y.ticks)
      parts.push(s('line', { class: tick === 0 && y.low === 0 ? 'axis' : 'gridline', x1: box.left, x2: box.right, y1: y.of(tick), y2: y.of(tick) }),
        s('text', { x: box.left - 7, y: y.of(tick) + 4, 'text-anchor': 'end' }, y.label(tick)));
    for (const tick of x.ticks)
      parts.push(s('text', { x: x.of(tick), y: height - 5, 'text-anchor': 'middle' }, `${tick}`));
    for (const mark of spec.marks ?? [])
      parts.push(s('line', { class: 'mark', x1: x.of(mark), x2: x.of(mark), y1: box.top, y2: box.bottom }));
    if (columns) parts.push(...bars(spec, columns, x, y, box));
    else for (const series of spec.series) parts.push(...curve(spec, series, x, y));
    this.line = s('line', { class: 'cursor', y1: box.top, y2: box.bottom, visibility: 'hidden' });
    fill(this.svg, ...parts, this.line);
    this.showCursor();
  }

  drawLegend(isQuiet) {
    const values = this.values();
    fill(this.legend, ...(isQuiet ? [] : this.spec.series.map((series, i) => h('li', { class: `s${series.tone % 6}` },
      h('i', { class: this.spec.isStacked ? 'box' : '' }), series.name, h('b', {}, values[i][1])))));
    this.at.textContent = cursor === null ? '' : stepName(this.spec.x[this.index()] ?? cursor);
  }

  showCursor() {
    if (!this.scale || !this.line) return;
    this.line.setAttribute('visibility', cursor === null ? 'hidden' : 'visible');
    if (cursor !== null) for (const end of ['x1', 'x2']) this.line.setAttribute(end, this.scale.of(cursor));
  }

  summary() {
    const { title, sub, x } = this.spec;
    return x.length ? `${title}, ${sub}. ${x.length} points; ${stepName(x.at(-1))}: ${this.values().map(([name, value]) => `${name} ${value}`).join(', ')}. Arrow keys move through the steps.` : `${title}: nothing yet.`;
  }
}

const stepName = x => x === 0 ? 'before training' : `step ${x}`;

function setCursor(x) {
  cursor = x;
  for (const chart of charts) {
    if (!chart.spec) continue;
    chart.drawLegend(!chart.scale && !!chart.spec.none);
    chart.showCursor();
  }
}

function horizontal(spec, box) {
  const low = Math.min(spec.x[0], spec.first ?? Infinity);
  const high = Math.max(spec.x.at(-1), spec.last ?? -Infinity, low + 1);
  const inset = spec.isStacked ? (box.right - box.left) / (high - low + 1) / 2 : 4;
  const [from, to] = [box.left + inset, box.right - inset];
  const of = value => from + ((value - low) / (high - low)) * (to - from);
  return { of, invert: pixel => low + ((pixel - from) / (to - from)) * (high - low), ticks: ticksOf(low, high, Math.max(2, Math.floor((to - from) / 70))).filter(tick => Number.isInteger(tick)), span: high - low };
}

function scaleOf(spec, columns, box) {
  const values = columns ? columns.map(column => column.top).concat(0)
    : spec.series.flatMap(series => [...series.values, ...(series.low ?? []), ...(series.high ?? [])]).filter(isNumber);
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (spec.zero && low >= 0) low = 0;
  if (high - low < 1e-9) { const room = Math.abs(high) * .1 || 1; high += room; if (!(spec.zero || columns)) low -= room; }
  const ticks = spec.isCount && high <= 4 ? [0, 1] : ticksOf(low, high, 4);
  const step = ticks[1] - ticks[0] || 1;
  low = Math.min(low, Math.floor(low / step + 1e-9) * step);
  high = Math.max(high, Math.ceil(high / step - 1e-9) * step);
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  const all = [];
  for (let tick = low; tick <= high + step * 1e-6; tick += step) all.push(Math.abs(tick) < step * 1e-6 ? 0 : tick);
  return { low, high, ticks: all, of: value => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top),
    label: tick => Math.abs(tick) >= 10000 ? compact.format(tick) : fixed(tick, digits) };
}

function ticksOf(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= rough - power * 1e-9);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

// Columns of a stacked chart; many steps share one, or none could be seen.
function stack(spec) {
  const width = Math.max(1, Math.ceil(spec.x.length / 120));
  const columns = [];
  for (let from = 0; from < spec.x.length; from += width) {
    const to = Math.min(spec.x.length, from + width);
    const values = spec.series.map(series => mean(series.values.slice(from, to).map(value => isNumber(value) ? value : 0)));
    columns.push({ from: spec.x[from], to: spec.x[to - 1], values, top: sum(values) });
  }
  return columns;
}

function bars(spec, columns, x, y, box) {
  const unit = (box.right - box.left) / (x.span + 1);
  return columns.flatMap(column => {
    const wide = Math.min(26, Math.max(1.2, unit * (column.to - column.from + 1) * .78));
    const middle = x.of((column.from + column.to) / 2);
    let base = 0;
    return spec.series.map((series, i) => {
      const value = column.values[i];
      const rect = value > 0 && s('rect', { class: `fill s${series.tone % 6}`, x: middle - wide / 2, width: wide, y: y.of(base + value), height: Math.max(.6, y.of(base) - y.of(base + value)), rx: Math.min(2, wide / 4) });
      base += value;
      return rect;
    }).filter(Boolean);
  });
}

function curve(spec, series, x, y) {
  const tone = `s${series.tone % 6}`;
  const points = spec.x.map((at, i) => ({ at, value: series.values[i], low: series.low?.[i], high: series.high?.[i], i })).filter(point => isNumber(point.value));
  const path = list => list.map((point, i) => `${i ? 'L' : 'M'}${x.of(point.at).toFixed(1)} ${y.of(point.value).toFixed(1)}`).join('');
  const parts = [];
  const banded = points.filter(point => isNumber(point.low) && isNumber(point.high));
  if (banded.length > 1)
    parts.push(s('path', { class: `band ${tone}`, d: `${path(banded.map(point => ({ at: point.at, value: point.high })))}L${path(banded.toReversed().map(point => ({ at: point.at, value: point.low }))).slice(1)}Z` }));
  parts.push(s('path', { class: `line ${tone}${series.faint ? ' faint' : ''}${series.dashed ? ' dashed' : ''}`, d: path(points) }));
  if (series.dots && points.length < 60) {
    parts.push(...points.filter(point => isNumber(point.low)).map(point => s('line', { class: `whisker ${tone}`, x1: x.of(point.at), x2: x.of(point.at), y1: y.of(point.low), y2: y.of(point.high) })),
      ...points.map(point => s('circle', { class: `${tone}${point.i === spec.best ? ' best' : ''}`, cx: x.of(point.at), cy: y.of(point.value), r: point.i === spec.best ? 4.5 : 3.2 })));
  } else if (points.length === 1) parts.push(s('circle', { class: tone, cx: x.of(points[0].at), cy: y.of(points[0].value), r: 3 }));
  return parts;
}

// ---------------------------------------------------------------- rollouts

const rollouts = {
  steps: [], step: null, position: 0, isFollowing: true, byAdvantage: false, list: null, shown: null, wantsCheckpointSince: null, isBusy: false,

  async onStep() {
    if (view !== 'rollouts' || this.isBusy) return;
    this.isBusy = true; // steps may come faster than answers
    await this.refresh();
    setTimeout(() => { this.isBusy = false; }, 400);
  },

  async refresh() {
    const found = await load('/api/rollouts');
    this.steps = found?.steps ?? [];
    if (this.isFollowing || this.step === null) this.step = this.steps.at(-1) ?? null;
    this.drawStepper();
    await this.openStep();
  },

  drawStepper() {
    const select = $('step');
    const wanted = this.steps.includes(this.step) || this.step === null ? this.steps : [this.step, ...this.steps];
    if (select.dataset.steps !== wanted.join()) {
      select.dataset.steps = wanted.join();
      fill(select, ...wanted.toReversed().map(step => h('option', { value: `${step}` }, `Step ${step + 1}`)));
    }
    select.value = `${this.step}`;
    select.disabled = !wanted.length;
    const at = this.steps.indexOf(this.step);
    $('step-before').disabled = at <= 0;
    $('step-after').disabled = at < 0 || at >= this.steps.length - 1;
    $('follow').setAttribute('aria-pressed', this.isFollowing);
    $('follow').hidden = !run.hello?.isLive;
    $('kept').textContent = run.hello?.isLive ? `The rollouts of the last ${run.hello.keptSteps} steps are kept in memory; a run's directory keeps them all.` : '';
  },

  async openStep() {
    const step = this.step;
    const list = !this.steps.includes(step) ? null : await load(`/api/rollouts/${step}`);
    if (step !== this.step) return;
    this.list = list;
    this.drawGroups();
    if (list?.rollouts.length) await this.open(Math.min(this.position, list.rollouts.length - 1));
    else fill($('rollout'), h('p', { class: 'empty' }, step === null ? 'No step is done yet.' : 'The rollouts of this step are not kept any more.'));
  },

  drawGroups() {
    const all = this.list?.rollouts ?? [];
    const rewards = all.map(rollout => rollout.reward).filter(isNumber);
    const [low, high] = [Math.min(...rewards), Math.max(...rewards)];
    const groups = new Map();
    for (const rollout of all) groups.set(rollout.example, [...(groups.get(rollout.example) ?? []), rollout]);
    const focused = document.activeElement?.classList?.contains('chip') ? document.activeElement.dataset.position : null;
    fill($('groups'), ...[...groups].map(([example, members]) => h('section', { class: 'group' },
      h('header', {}, h('b', {}, `Example ${example}`), h('span', { class: 'soft' }, `mean ${fixed(mean(members.map(member => member.reward).filter(isNumber)), 2)}`)),
      members[0].input ? h('p', { title: members[0].input }, members[0].input) : h('p', {}),
      h('div', { class: 'chips', role: 'group', 'aria-label': `Rollouts of example ${example}` }, members.map(member => this.chip(member, low, high))))));
    if (focused !== null) $('groups').querySelector(`[data-position="${focused}"]`)?.focus();
  },

  chip(member, low, high) {
    const word = { formatFailure: 'unreadable', crashed: 'crashed', unscorable: 'no score' }[member.outcome];
    const chip = h('button', {
      type: 'button', class: 'chip', '--share': isNumber(member.reward) ? (high > low ? (member.reward - low) / (high - low) : 1) : 0,
      title: `${word ? `${word}, ` : ''}${member.calls} ${member.calls === 1 ? 'call' : 'calls'}${member.unreadable ? `, ${member.unreadable} unreadable` : ''}${member.teacher !== undefined ? `, teacher ${member.teacher + 1}` : ''}`,
      'aria-label': `Rollout ${member.rollout + 1}, reward ${fixed(member.reward, 2)}${word ? `, ${word}` : ''}`,
      'aria-current': member.position === this.position ? 'true' : 'false',
      onclick: () => this.choose(member.position),
      onkeydown: event => this.moveChip(event),
    }, `${fixed(member.reward, 2)}${member.outcome === 'scored' ? (member.unreadable ? '°' : '') : member.outcome === 'formatFailure' ? ' ✕' : ' !'}`);
    chip.dataset.outcome = member.outcome;
    chip.dataset.position = member.position;
    return chip;
  },

  moveChip(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const chips = [...$('groups').querySelectorAll('.chip')];
    chips[chips.indexOf(event.target) + move]?.focus();
  },

  choose(position) {
    this.setFollowing(false); // whoever reads is not taken elsewhere
    this.open(position);
  },

  setFollowing(value) {
    this.isFollowing = value;
    $('follow').setAttribute('aria-pressed', value);
  },

  async open(position) {
    this.position = position;
    for (const chip of $('groups').querySelectorAll('.chip')) chip.setAttribute('aria-current', chip.dataset.position === `${position}`);
    const step = this.step;
    const found = await load(`/api/rollouts/${step}/${position}`);
    if (step !== this.step || position !== this.position || view !== 'rollouts') return;
    history.replaceState(null, '', `#rollouts/${step + 1}/${position}`);
    this.shown = found;
    this.draw();
  },

  draw() {
    const rollout = this.shown;
    if (!rollout) {
      fill($('rollout'), h('p', { class: 'empty' }, 'This rollout is not kept any more.'));
      return;
    }
    const open = new Set([...$('rollout').querySelectorAll('details[open]')].map(node => node.dataset.key));
    const parts = Object.entries(rollout.parts ?? {});
    const most = Math.max(...parts.map(([, value]) => Math.abs(value)), 1e-9);
    fill($('rollout'), 
      h('h2', {}, `Rollout ${rollout.rollout + 1} of example ${rollout.example}`),
      h('dl', { class: 'facts' }, [
        ['Step', rollout.step + 1], ['Reward', fixed(rollout.reward)], ['Outcome', { scored: 'scored', formatFailure: 'unreadable answer', crashed: 'program raised', unscorable: 'no score' }[rollout.outcome]],
        rollout.teacher !== undefined && ['Made by', `teacher ${rollout.teacher + 1}`], ['Calls', rollout.calls.length], ['Seed', rollout.seed],
      ].filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, `${value}`)))),
      parts.length > 0 && h('div', { class: 'parts', 'aria-label': 'Parts of the reward' }, parts.map(([name, value]) => [
        h('span', { class: 'soft' }, name), h('span', { class: 'meter' }, h('i', { '--share': Math.max(0, value) / most })), h('b', {}, fixed(value))])),
      rollout.feedback && h('div', { class: 'quote' }, h('b', {}, 'Feedback of the metric'), rollout.feedback),
      rollout.error && h('div', { class: 'quote bad' }, h('b', {}, 'Error'), rollout.error),
      this.colourBar(),
      rollout.calls.map((call, i) => this.call(call, i, rollout.advantageScale, open)));
  },

  colourBar() {
    const choice = (value, text) => h('label', {}, h('input', { type: 'radio', name: 'colour', value, checked: (value === 'advantage') === this.byAdvantage, onchange: () => { this.byAdvantage = value === 'advantage'; this.draw(); } }), h('span', {}, text));
    return h('div', { class: 'toolbar' },
      h('fieldset', { class: 'segment' }, h('legend', { class: 'hide' }, 'Colour tokens by'), choice('prob', 'Log-probability'), choice('advantage', 'Advantage')),
      this.byAdvantage ? h('span', { class: 'scale' }, 'worse than its group', h('i', { class: 'by-advantage' }), 'better')
        : h('span', { class: 'scale' }, 'certain', h('i', { class: 'by-prob' }), 'surprising'));
  },

  call(call, index, scale, open) {
    const key = `${index}`;
    const logProbs = call.tokens?.logProbs ?? [];
    return h('section', { class: 'call', 'aria-label': `Call of ${call.predictor}` },
      h('header', {},
        h('h3', {}, call.predictor), h('span', { class: 'soft' }, `call ${call.ordinal + 1}${call.attempt ? `, attempt ${call.attempt + 1}` : ''}`),
        isNumber(call.advantage) ? h('span', { class: `tag ${call.advantage > 0 ? 'up' : call.advantage < 0 ? 'down' : ''}` }, `advantage ${signed(call.advantage, 2)}`) : h('span', { class: 'tag', title: 'Its group earned the same throughout, or could not use it' }, 'not learned from'),
        call.failure && h('span', { class: 'tag fail' }, 'unreadable'), call.isTruncated && h('span', { class: 'tag fail' }, 'cut off'), call.isRepaired && h('span', { class: 'tag' }, 'mended'),
        h('span', { class: 'soft' }, [
          call.tokens && `${call.tokens.ids.length} ${call.tokens.ids.length === 1 ? 'token' : 'tokens'}, mean ${fixed(mean(logProbs), 2)}`, call.promptTokens && `prompt ${whole.format(call.promptTokens)}`,
          isNumber(call.policyVersion) && `weights ${call.policyVersion}`, isNumber(call.seconds) && `${fixed(call.seconds, 2)} s`,
        ].filter(Boolean).join(' · '))),
      call.messages.length > 0 && h('details', { 'data-key': key, open: open.has(key) }, h('summary', {}, `Prompt: ${call.messages.length === 1 ? '1 message' : `${call.messages.length} messages`}`),
        call.messages.map(message => h('div', { class: 'message' }, h('b', {}, message.role), h('pre', {}, message.text)))),
      call.tokens ? this.tokens(call, scale) : h('div', { class: 'tokens' }, call.text),
      call.failure && h('div', { class: 'quote bad' }, h('b', {}, 'Why it could not be read'), call.failure));
  },

  tokens(call, scale) {
    const { ids, logProbs, texts } = call.tokens;
    const strength = isNumber(call.advantage) && scale > 0 ? Math.abs(call.advantage) / scale : 0;
    const hue = call.advantage < 0 ? 'var(--hot)' : 'var(--accent)';
    const box = h('div', { class: 'tokens', tabindex: 0, role: 'group', 'aria-label': `Completion of ${ids.length} tokens. Arrow keys move through them.` });
    box.append(...ids.map((id, i) => {
      const text = texts?.[i];
      const share = this.byAdvantage ? strength : Math.min(1, -(logProbs[i] ?? 0) / 5);
      const node = h('span', { '--hue': this.byAdvantage ? hue : 'var(--hot)', '--share': share.toFixed(3), class: text === undefined ? 'id' : /^<\|.*\|>$/.test(text) ? 'special' : '' });
      if (text === undefined) node.append(`${id}`);
      else if (text === '') node.append(h('i', { 'aria-hidden': 'true' }, '·'));
      else text.split('\n').forEach((line, n) => node.append(...(n ? [h('i', { 'aria-hidden': 'true' }, '↵'), '\n'] : []), line));
      node.dataset.i = i;
      return node;
    }));
    const tell = (node, isSpoken) => {
      const i = Number(node.dataset.i);
      const p = Math.exp(logProbs[i]);
      const facts = [`token ${i + 1} of ${ids.length}, id ${ids[i]}`, `log-probability ${fixed(logProbs[i], 4)}`, `probability ${p >= .0001 ? `${fixed(100 * p, p > .1 ? 1 : 2)} %` : 'below 0.01 %'}`,
        isNumber(call.advantage) && `advantage ${signed(call.advantage, 3)}`].filter(Boolean);
      const text = texts?.[i];
      const shown = text === undefined ? '' : text === '' ? 'part of a character' : JSON.stringify(text);
      showTip(node, h('div', {}, shown && h('code', {}, shown), facts.map(fact => h('div', {}, fact))));
      if (isSpoken) $('speak').textContent = [shown, ...facts].join(', ');
    };
    box.addEventListener('pointerover', event => event.target.closest('span[data-i]') && tell(event.target.closest('span[data-i]')));
    box.addEventListener('pointerleave', hideTip);
    box.addEventListener('blur', () => { box.querySelector('.here')?.classList.remove('here'); hideTip(); });
    box.addEventListener('keydown', event => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (move === undefined || !box.children.length) return;
      event.preventDefault();
      const here = box.querySelector('.here');
      const at = here ? Number(here.dataset.i) + move : move > 0 ? 0 : box.children.length - 1;
      here?.classList.remove('here');
      const next = box.children[Math.max(0, Math.min(box.children.length - 1, at))];
      next.classList.add('here');
      tell(next, true);
    });
    return box;
  },
};

function showTip(node, content) {
  const tip = $('tip');
  fill(tip, content);
  tip.hidden = false;
  const box = node.getClientRects()[0] ?? node.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(innerWidth - own.width - 8, box.left))}px`;
  tip.style.top = `${box.top - own.height - 8 < 4 ? box.bottom + 8 : box.top - own.height - 8}px`;
}

const hideTip = () => { $('tip').hidden = true; };

// ---------------------------------------------------------------- answers

const answers = {
  set: 'best', change: 'all', skip: 0, isStale: true,

  async refresh() {
    this.isStale = false;
    const page = run.hasAnswers && await load(`/api/answers?set=${this.set}&change=${this.change}&skip=${this.skip}`);
    if (!page) {
      $('answer-summary').textContent = '';
      $('answer-pager').hidden = true;
      fill($('answer-rows'), h('p', { class: 'empty' }, run.hello?.isLive ? 'There is no validation yet.' : 'Answers are told while a run is under way; its directory does not keep them.'));
      return;
    }
    const same = page.before === page.after;
    $('answer-summary').textContent = same ? `${page.count} examples; only the weights before training are validated so far`
      : `before training → after step ${page.after + 1}: ${page.better} better, ${page.worse} worse, ${page.count - page.better - page.worse} the same; largest changes first`;
    const count = { all: page.count, better: page.better, worse: page.worse }[this.change];
    fill($('answer-rows'), ...(page.rows.length ? page.rows.map(row => this.row(row, same)) : [h('p', { class: 'empty' }, 'There is no such example.')]));
    $('answer-pager').hidden = count <= page.rows.length;
    $('answer-range').textContent = `${this.skip + 1}–${this.skip + page.rows.length} of ${count}`;
    $('answers-before').disabled = this.skip === 0;
    $('answers-after').disabled = this.skip + page.rows.length >= count;
    this.size = page.rows.length;
  },

  row({ index, before, after }, same) {
    const change = after.score - before.score;
    const [old, now] = same ? [[before.output ?? ''], [after.output ?? '']] : difference(before.output ?? '', after.output ?? '');
    return h('section', { class: 'answer' },
      h('header', {}, h('pre', {}, after.input), h('span', { class: `tag ${change > 0 ? 'win' : change < 0 ? 'fail' : ''}` }, same || change === 0 ? `#${index}` : signed(change, 2))),
      h('div', { class: 'pair' }, this.side('Before', before, old), this.side('After', after, now)));
  },

  side: (name, answer, text) => h('div', {}, h('h3', {}, name, h('span', { class: 'tag' }, fixed(answer.score, 2))),
    answer.output !== undefined ? h('pre', {}, text) : h('p', { class: 'soft' }, 'no answer'),
    answer.error && h('div', { class: 'quote bad' }, answer.error), answer.feedback && h('div', { class: 'quote' }, answer.feedback)),
};

// Words that are gone and words that came, by the longest common subsequence.
function difference(before, after) {
  const [a, b] = [before, after].map(text => text.match(/\s+|[^\s]+/g) ?? []);
  if (a.length * b.length > 250000) return [[before], [after]];
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  const [old, now] = [[], []];
  const put = (list, tag, word) => list.push(tag && word.trim() ? h(tag, {}, word) : word);
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { put(old, null, a[i++]); put(now, null, b[j++]); }
    else if (j >= b.length || (i < a.length && table[i + 1][j] >= table[i][j + 1])) put(old, 'del', a[i++]);
    else put(now, 'ins', b[j++]);
  }
  return [old, now];
}

// ---------------------------------------------------------------- log

const words = { problem: ['fail', 'problem'], warning: ['fail', 'warning'], note: ['', 'note'], plain: ['', ''] };

function drawLog() {
  const findings = run.checks?.findings ?? [];
  const estimate = run.checks?.estimate;
  const line = (kind, word, ...text) => h('li', { class: 'note' }, h('span', { class: `tag ${kind}` }, word), h('p', {}, text));
  fill($('findings'),
    run.checks === null ? h('p', { class: 'empty' }, 'There are no checks, or they are under way.')
      : h('ul', { class: 'notes' }, findings.length
        ? findings.map(finding => line(words[finding.severity][0], words[finding.severity][1], h('b', {}, `${finding.check}: `), finding.message))
        : line('win', 'well', 'The checks found nothing to worry about.')),
    estimate && h('p', { class: 'soft small' }, `Estimate from these rollouts: ${durationOf(estimate.duration)} of rollouts, ${compact.format(estimate.sampledTokens)} tokens, ${compact.format(estimate.externalCalls)} external calls, ${money(estimate.cost)} in money.`));
  fill($('notes'), ...(run.notes.length ? run.notes.toReversed().slice(0, 500).map(entry => h('li', { class: 'note' },
    h('span', { class: 'when' }, entry.step === null ? '–' : `step ${entry.step + 1}`), entry.kind !== 'plain' && h('span', { class: `tag ${words[entry.kind][0]}` }, entry.type === 'rollback' ? 'rollback' : words[entry.kind][1]), h('p', {}, entry.text)))
    : [h('li', { class: 'empty' }, 'Nothing worth a note yet.')]));
}

function durationOf(text) {
  const match = /^(?:(\d+)\.)?(\d+):(\d+):(\d+)/.exec(text ?? '');
  return match ? span(((Number(match[1] ?? 0) * 24 + Number(match[2])) * 60 + Number(match[3])) * 60 + Number(match[4])) : '–';
}

// ---------------------------------------------------------------- views and controls

const views = ['overview', 'rollouts', 'answers', 'log'];
let view = 'overview';

function show(name, setsHash) {
  view = name;
  for (const each of views) {
    const isShown = each === name;
    $(each).hidden = !isShown;
    $(`tab-${each}`).setAttribute('aria-selected', isShown);
    $(`tab-${each}`).tabIndex = isShown ? 0 : -1;
  }
  hideTip();
  if (setsHash) history.replaceState(null, '', `#${name}`);
  if (name === 'rollouts') rollouts.refresh();
  if (name === 'answers') answers.isStale = true;
  schedule();
}

function route() {
  const [name, step, position] = location.hash.slice(1).split('/');
  if (name === 'rollouts' && step !== undefined) {
    rollouts.setFollowing(false);
    rollouts.step = Number(step) - 1;
    rollouts.position = Number(position ?? 0);
  }
  show(views.includes(name) ? name : 'overview', false);
}

async function act(name, told) {
  const response = await fetch(`/api/${name}`, { method: 'POST', headers: { 'X-Hone-Action': document.querySelector('meta[name=hone-action]').content } }).catch(() => null);
  toast(response?.ok ? told : `That did not work: ${response ? (await response.text()).trim() : 'the run cannot be reached.'}`);
}

function wire() {
  for (const name of views) $(`tab-${name}`).addEventListener('click', () => show(name, true));
  document.querySelector('.tabs').addEventListener('keydown', event => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    const next = views[(views.indexOf(view) + move + views.length) % views.length];
    show(next, true);
    $(`tab-${next}`).focus();
  });
  $('pause').addEventListener('click', () => run.status.isPaused ? act('continue', 'The run goes on.') : act('pause', 'The run waits once the step under way is done.'));
  $('checkpoint').addEventListener('click', () => {
    rollouts.wantsCheckpointSince = run.steps.at(-1)?.step ?? -1;
    act('checkpoint', run.status.isPaused ? 'Saving the state…' : 'The state is saved once the step under way is done.');
  });
  $('stop').addEventListener('click', () => $('confirm').showModal());
  $('confirm-no').addEventListener('click', () => $('confirm').close());
  $('confirm-yes').addEventListener('click', () => { $('confirm').close(); act('stop', 'The run ends with the best so far.'); });
  const move = by => {
    const next = rollouts.steps[rollouts.steps.indexOf(rollouts.step) + by];
    if (next !== undefined) pick(next);
  };
  const pick = step => {
    rollouts.setFollowing(false);
    rollouts.step = step;
    rollouts.drawStepper();
    rollouts.openStep();
  };
  $('step').addEventListener('change', event => pick(Number(event.target.value)));
  $('step-before').addEventListener('click', () => move(-1));
  $('step-after').addEventListener('click', () => move(1));
  $('follow').addEventListener('click', () => { rollouts.setFollowing(!rollouts.isFollowing); if (rollouts.isFollowing) rollouts.refresh(); });
  const turn = (name, change) => document.querySelectorAll(`input[name=${name}]`).forEach(input => input.addEventListener('change', () => { change(input.value); answers.refresh(); }));
  turn('set', value => { answers.set = value; answers.skip = 0; });
  turn('change', value => { answers.change = value; answers.skip = 0; });
  $('answers-before').addEventListener('click', () => { answers.skip = Math.max(0, answers.skip - 20); answers.refresh(); });
  $('answers-after').addEventListener('click', () => { answers.skip += answers.size; answers.refresh(); });
  addEventListener('hashchange', route);
  addEventListener('keydown', event => { if (event.key === 'Escape') hideTip(); });
  setInterval(() => { if (view === 'overview' && !run.finished && !run.isOver && run.status.phase !== 'stored') drawTiles(); }, 1000);
}

// The token of a page that is not only for this machine does not stay in the address.
const address = new URL(location.href);
if (address.searchParams.has('token')) {
  address.searchParams.delete('token');
  history.replaceState(null, '', address.pathname + address.search + address.hash);
}

wire();
route();
connect();
