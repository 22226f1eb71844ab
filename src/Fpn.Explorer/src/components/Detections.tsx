import { useEffect, useRef } from 'preact/hooks';
import { classColor, labelColor } from '../colors';
import type { Shown } from '../filter';
import { choose, filterBy, point } from '../actions';
import type { State } from '../state';
import { percent, placeParts } from '../text';
import type { Answer, Box, Model } from '../types';
import { Swatch } from './graphics/Swatch';

interface Props {
  answer: Answer;
  items: Shown[];
  model: Model;
  state: State;
}

/** What to show, and what is shown as a table. */
export function Detections({ answer, items, model, state }: Props) {
  return (
    <>
      <Filters answer={answer} model={model} state={state} />
      <p class="quiet" id="shown-count"><b>{items.length}</b> of {answer.detections.length} shown</p>
      <Rows items={items} model={model} state={state} />
    </>
  );
}

function Filters({ answer, model, state }: { answer: Answer; model: Model; state: State }) {
  const { threshold, most, hidden } = state.filter;
  const above = answer.detections.filter(({ score }) => score >= threshold);

  // Several views may find more than the model does in one.
  const largest = Math.max(model.maxDetections, answer.detections.length);
  const toggle = (label: string) => {
    const next = new Set(hidden);
    filterBy({ hidden: next.delete(label) ? next : next.add(label) });
  };
  return (
    <fieldset class="filters">
      <legend class="unseen">What to show</legend>
      <label>
        <span>Score at least</span>
        <span class="value">{threshold.toFixed(2)}</span>
        <input
          type="range"
          min={model.scoreThreshold}
          max={1}
          step={0.01}
          value={threshold}
          aria-label="Score at least"
          onInput={event => filterBy({ threshold: event.currentTarget.valueAsNumber })}
        />
      </label>
      <label>
        <span>At most</span>
        <span class="value">{Math.min(most, largest)}</span>
        <input
          type="range"
          min={1}
          max={largest}
          value={Math.min(most, largest)}
          aria-label="At most"
          onInput={event => {
            const value = event.currentTarget.valueAsNumber;
            filterBy({ most: value < largest ? value : Infinity });
          }}
        />
      </label>
      <div class="chips" role="group" aria-label="Classes">
        {model.classes.map(({ label }, index) => (
          <label class="chip" key={label}>
            <input type="checkbox" checked={!hidden.has(label)} onChange={() => toggle(label)} />
            <Swatch color={classColor(index)} />
            {label} <span class="quiet">{above.filter(detection => detection.label === label).length}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Size and corner; a narrow screen has no room for the corner. */
export function Place({ box }: { box: Box }) {
  const [size, corner] = placeParts(box);
  return <>{size}<span class="wide"> {corner}</span></>;
}

function Rows({ items, model, state }: { items: Shown[]; model: Model; state: State }) {
  const frame = useRef<HTMLDivElement>(null);
  const rows = useRef(new Map<number, HTMLTableRowElement>());
  const stop = items.some(({ index }) => index === state.pointed) ? state.pointed : items[0]?.index;
  useEffect(() => {
    // By hand: scrollIntoView would move the whole page too.
    const row = state.pointed === undefined ? undefined : rows.current.get(state.pointed);
    const box = frame.current;
    if (row && box) {
      const head = 34;
      const [top, bottom] = [row.offsetTop - head, row.offsetTop + row.offsetHeight - box.clientHeight];
      box.scrollTop = Math.max(Math.min(box.scrollTop, top), bottom);
    }
  }, [state.pointed]);

  const keys = (event: KeyboardEvent, at: number) => {
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    const item = next === undefined ? undefined : items[next];
    if (item) {
      rows.current.get(item.index)?.querySelector('button')?.focus();
      event.preventDefault();
    }
  };

  if (items.length === 0) {
    return <p class="empty">Nothing to show. Lower the score, or switch a class on.</p>;
  }

  return (
    <div class="rows" ref={frame}>
      <table aria-describedby="shown-count">
        <caption class="unseen">Detections, best first</caption>
        <thead>
          <tr><th scope="col">Class</th><th scope="col" class="number">Score</th><th scope="col">Level</th><th scope="col">Box</th></tr>
        </thead>
        <tbody>
          {items.map(({ index, detection }, at) => (
            <tr
              key={index}
              ref={element => void (element ? rows.current.set(index, element) : rows.current.delete(index))}
              class={state.pointed === index ? 'pointed' : ''}
              data-index={index}
              onPointerEnter={() => point(index)}
              onPointerLeave={() => point(undefined)}
            >
              <th scope="row">
                <button
                  type="button"
                  class="plain"
                  tabIndex={index === stop ? 0 : -1}
                  title="How it was decided"
                  onFocus={() => point(index)}
                  onBlur={() => point(undefined)}
                  onKeyDown={event => keys(event, at)}
                  onClick={() => choose(index)}
                >
                  <Swatch color={labelColor(detection.label, model)} />
                  {detection.label}
                </button>
              </th>
              <td class="number">{percent(detection.score, 2)}</td>
              <td>{detection.level ?? '–'}</td>
              <td class="quiet"><Place box={detection.box} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
