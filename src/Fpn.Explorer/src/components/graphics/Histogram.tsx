import { levelColor } from '../../colors';
import type { Box } from '../../types';
import { Swatch } from './Swatch';

const bounds = [16, 32, 64, 128, 256, 512, Infinity];
const names = bounds.map((bound, at) => (bound === Infinity ? `≥ ${bounds[at - 1]}` : at === 0 ? `< ${bound}` : `${bounds[at - 1]}–${bound}`));
const height = 92;
const width = 46;

/** Boxes by size (square root of the area, pixels of the picture), stacked by level. */
export function Histogram({ title, entries }: { title: string; entries: { box: Box; level: string }[] }) {
  const levels = [...new Set(entries.map(({ level }) => level))].sort();
  const bins = bounds.map(() => new Map<string, number>());
  for (const { box, level } of entries) {
    const size = Math.sqrt((box.x2 - box.x1) * (box.y2 - box.y1));
    const bin = bins[bounds.findIndex(bound => size < bound)]!;
    bin.set(level, (bin.get(level) ?? 0) + 1);
  }

  const totals = bins.map(bin => [...bin.values()].reduce((sum, value) => sum + value, 0));
  const tallest = Math.max(1, ...totals);
  return (
    <figure class="histogram">
      <figcaption>
        <h3>{title}</h3>
        <ul class="legend">
          {levels.map(level => (
            <li key={level}><Swatch color={levelColor(level)} />{level.toUpperCase()} <span class="quiet">{entries.filter(entry => entry.level === level).length}</span></li>
          ))}
        </ul>
      </figcaption>
      <svg viewBox={`0 0 ${width * bins.length} ${height + 34}`} aria-hidden="true">
        {bins.map((bin, at) => {
          let top = height + 14;
          return (
            <g key={at}>
              {levels.map(level => {
                const tall = ((bin.get(level) ?? 0) / tallest) * height;
                top -= tall;
                return tall > 0 && <rect key={level} x={at * width + 3} y={top} width={width - 6} height={tall} fill={levelColor(level)} />;
              })}
              <text class="value" x={at * width + width / 2} y={top - 4}>{totals[at] || ''}</text>
              <text class="quiet" x={at * width + width / 2} y={height + 28}>{names[at]}</text>
            </g>
          );
        })}
        <path class="axis" d={`M0 ${height + 14.5}H${width * bins.length}`} />
      </svg>
      <div class="unseen"><table>
        <caption>{title}: side of a square of the same area, in pixels</caption>
        <thead><tr><th scope="col">Size</th>{levels.map(level => <th scope="col" key={level}>{level}</th>)}</tr></thead>
        <tbody>
          {bins.map((bin, at) => (
            <tr key={at}><th scope="row">{names[at]}</th>{levels.map(level => <td key={level}>{bin.get(level) ?? 0}</td>)}</tr>
          ))}
        </tbody>
      </table></div>
    </figure>
  );
}
