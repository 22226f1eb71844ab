import { duration } from '../../text';
import type { Timings } from '../../types';

const stages: [string, keyof Timings][] = [
  ['Decode', 'decodeMs'],
  ['Resize', 'preprocessMs'],
  ['Wait', 'queueMs'],
  ['Model', 'inferenceMs'],
  ['Choose', 'postprocessMs'],
];

/** The stages of one request side by side, as long as they took. */
export function StageBar({ timings, elapsed }: { timings: Timings; elapsed: number | undefined }) {
  const parts = stages.map(([name, key]) => ({ name, time: timings[key] }));
  if (elapsed !== undefined) {
    parts.push({ name: 'On the way', time: Math.max(0, elapsed - timings.totalMs) });
  }

  const all = parts.reduce((sum, { time }) => sum + time, 0) || 1;
  let x = 0;
  return (
    <div class="stages">
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        {parts.map(({ name, time }, at) => {
          const from = x;
          x += (time / all) * 100;
          return <rect key={name} class={`stage-${at}`} x={from} y="0" width={x - from} height="6" />;
        })}
      </svg>
      <dl>
        {parts.map(({ name, time }, at) => (
          <div key={name}>
            <dt><svg class="swatch" width="10" height="10" aria-hidden="true"><rect class={`stage-${at}`} width="10" height="10" rx="3" /></svg>{name}</dt>
            <dd>{duration(time)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
