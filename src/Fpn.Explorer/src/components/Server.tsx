import { useEffect } from 'preact/hooks';
import { begin } from '../actions';
import type { State } from '../state';
import { duration } from '../text';
import type { Model } from '../types';
import { useLive, type Live } from '../live';
import { Swatch } from './graphics/Swatch';
import { classColor } from '../colors';

/** What the service serves and what it does right now. */
export function Server({ state }: { state: State }) {
  // Models come and go while the page is open.
  useEffect(() => void begin(), []);
  const live = useLive(state.models.map(({ name }) => name));
  return (
    <div class="server">
      {live.note && <p class="notice">{live.note}</p>}
      {state.models.map(model => (
        <article key={model.name} class="card" aria-labelledby={`model-${model.name}`}>
          <Card model={model} />
          <LiveFigures live={live.models.get(model.name)} history={live.history.get(model.name) ?? []} />
          <Curve model={model} />
        </article>
      ))}
    </div>
  );
}

function Card({ model }: { model: Model }) {
  const rows: [string, string | null][] = [
    ['License', model.license],
    ['Source', model.source],
    ['Layout', model.layout === 'two-stage' ? 'two graphs, batched' : 'one graph, one picture at a time'],
    ['Arithmetic', model.convention],
    ['Runs on', `${model.execution.device} (${model.execution.reason})`],
    ['Input', `shorter side to ${model.input.minSize} px, the longer at most ${model.input.maxSize} px`],
    ['Sizes', model.batching.buckets.length === 0 ? 'each picture keeps its own' : model.batching.buckets.join(', ')],
    ['Keeps', `scores from ${model.scoreThreshold}, at most ${model.maxDetections} a picture`],
  ];
  return (
    <section>
      <h2 id={`model-${model.name}`}>{model.name} <span class="tag">version {model.version}</span>{model.isDefault && <span class="tag strong">default</span>}</h2>
      {model.description && <p>{model.description}</p>}
      <dl class="facts">
        {rows.map(([name, value]) => value && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
      <details class="classes">
        <summary>{model.classes.length} classes</summary>
        <ul class="legend">{model.classes.map(({ label, classId }, index) => <li key={label}><Swatch color={classColor(index)} />{label} <span class="quiet">{classId}</span></li>)}</ul>
      </details>
    </section>
  );
}

function LiveFigures({ live, history }: { live: Live | undefined; history: number[] }) {
  const figures: [string, string][] = [
    ['Pictures / s', live?.rate === undefined ? '–' : live.rate.toFixed(live.rate < 10 ? 1 : 0)],
    ['Waiting', live?.waiting === undefined ? '–' : String(live.waiting)],
    ['Mean batch', live?.meanBatch === undefined ? '–' : live.meanBatch.toFixed(1)],
    ['Median', time(live?.p50)],
    ['95 of 100 within', time(live?.p95)],
    ['99 of 100 within', time(live?.p99)],
  ];
  return (
    <section>
      <h3>Now{live?.idle && <span class="quiet small"> · latencies since the start, nothing ran just now</span>}</h3>
      <dl class="figures">
        {figures.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
      <Spark values={history} />
    </section>
  );
}

const time = (seconds: number | undefined): string => (seconds === undefined ? '–' : duration(seconds * 1000));

/** Throughput of the last two minutes. */
function Spark({ values }: { values: number[] }) {
  const most = 60;
  const top = Math.max(1, ...values);
  const points = values.map((value, at) => `${((at + most - values.length) / (most - 1)) * 100},${30 - (value / top) * 28}`);
  return (
    <svg class="spark" viewBox="0 0 100 31" preserveAspectRatio="none" role="img" aria-label={`Pictures a second in the last two minutes, at most ${top.toFixed(1)}`}>
      {points.length > 1 && <polyline points={points.join(' ')} />}
    </svg>
  );
}

/** What each batch size was measured to give at start. */
function Curve({ model }: { model: Model }) {
  const { curve, maxBatchSize } = model.batching;
  if (curve.length === 0) {
    return <section><h3>Batches</h3><p>At most {maxBatchSize} pictures at once, as set.</p></section>;
  }

  const tallest = Math.max(...curve.map(({ imagesPerSecond }) => imagesPerSecond));
  return (
    <section>
      <h3>Batches <span class="quiet small">· pictures a second by size of the batch, measured at start</span></h3>
      <svg class="curve" width={curve.length * 60} viewBox={`0 0 ${curve.length * 60} 110`} role="img" aria-label={curve.map(({ batchSize, imagesPerSecond }) => `${batchSize}: ${imagesPerSecond} pictures a second`).join('; ')}>
        {curve.map(({ batchSize, imagesPerSecond }, at) => {
          const tall = (imagesPerSecond / tallest) * 70;
          return (
            <g key={batchSize} class={batchSize === maxBatchSize ? 'picked' : ''}>
              <rect x={at * 60 + 8} y={88 - tall} width="44" height={tall} rx="3" />
              <text class="value" x={at * 60 + 30} y={82 - tall}>{imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)}</text>
              <text class="quiet" x={at * 60 + 30} y="104">{batchSize}</text>
            </g>
          );
        })}
      </svg>
      <p class="quiet">Batches hold at most {maxBatchSize}: larger ones gained too little.</p>
    </section>
  );
}
