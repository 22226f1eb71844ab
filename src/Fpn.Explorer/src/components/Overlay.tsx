import { useRef } from 'preact/hooks';
import { labelColor, levelColor } from '../colors';
import type { Shown } from '../filter';
import { choose, point } from '../actions';
import { area } from '../frame/geometry';
import type { Picture, State } from '../state';
import { percent, place } from '../text';
import type { Answer, Box, ImageView, Model, Proposal } from '../types';
import { bestFirst } from '../views';
import type { Size, View } from '../frame/viewport';
import { Drawn } from './Drawn';
import { Outline, outlineOf, Plate, rectangle } from './graphics/shapes';

/** Beyond so many boxes, labels would hide the picture: only the one pointed at has one. */
const mostLabels = 40;

/** In a narrower frame labels would hide the picture too: there the color names the class. */
const roomForNames = 560;

interface Props {
  picture: Picture;
  /** Those drawn by hand, as they are at the moment. */
  boxes: readonly Box[];
  items: Shown[];
  model: Model | undefined;
  state: State;
  view: View;
  frame: Size;
}

/** What lies over the picture, in pixels of the frame, so that lines and letters keep their size. */
export function Overlay({ picture, boxes, items, model, state, view, frame }: Props) {
  const { detections, proposals } = picture.replies;
  return (
    <svg class="overlay" width={frame.width} height={frame.height} role="group" aria-label="Boxes in the picture">
      {state.ask === 'detections'
        ? detections && <Detections answer={detections.answer} items={items} model={model} state={state} view={view} frame={frame} />
        : model?.layout !== 'two-stage'
          ? null
          : state.ask === 'proposals'
            ? proposals && <Proposals proposals={proposals.answer.proposals} state={state} view={view} />
            : <Drawn picture={picture} boxes={boxes} selected={state.selected} model={model} view={view} frame={frame} />}
    </svg>
  );
}

interface DetectionProps extends Pick<Props, 'items' | 'model' | 'state' | 'view' | 'frame'> {
  answer: Answer;
}

function Detections({ answer, items, model, state, view, frame }: DetectionProps) {
  const boxes = useRef(new Map<number, SVGGElement>());
  const deciding = state.tab === 'decision' && answer.explain !== undefined;
  const origin = deciding && state.chosen !== undefined ? answer.explain!.detections[state.chosen] : undefined;
  const views = state.outlined ? answer.explain?.views : undefined;
  const looked = answer.explain?.detections[state.pointed ?? state.chosen ?? -1]?.view;
  const first = items[0]?.index;
  const stop = items.some(({ index }) => index === state.pointed) ? state.pointed : first;

  const keys = (event: KeyboardEvent, index: number) => {
    const at = items.findIndex(item => item.index === index);
    const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next !== undefined) {
      boxes.current.get(items[Math.min(Math.max(next, 0), items.length - 1)]!.index)?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      choose(index);
    } else {
      return;
    }

    event.preventDefault();
    event.stopPropagation();
  };

  // Small boxes lie over large ones, so that the pointer reaches both.
  const drawn = items.toSorted((a, b) => area(b.detection.box) - area(a.detection.box));
  return (
    <>
      {views && <Views views={views} found={looked === undefined ? undefined : views[looked]} view={view} />}
      {deciding && !origin && <Proposals proposals={bestFirst(answer.explain!)} state={state} view={view} />}
      {origin?.suppressed.map((removed, at) => <rect key={at} class="removed" aria-hidden="true" {...rectangle(removed.box, view)} />)}
      {origin?.merged?.map((removed, at) => <rect key={at} class="removed merged" aria-hidden="true" {...rectangle(removed.box, view)} />)}
      {drawn.map(({ index, detection }) => {
        const color = labelColor(detection.label, model);
        const pointed = state.pointed === index;
        const faint = deciding && state.chosen !== index && !pointed;
        return (
          <g
            key={index}
            ref={element => void (element ? boxes.current.set(index, element) : boxes.current.delete(index))}
            class={`box${pointed ? ' pointed' : ''}${faint ? ' faint' : ''}`}
            role="button"
            tabindex={index === stop ? 0 : -1}
            data-index={index}
            aria-label={`${detection.label}, ${percent(detection.score, 2)}${detection.level ? `, level ${detection.level}` : ''}, ${place(detection.box)}. Show how it was decided`}
            onPointerEnter={() => point(index)}
            onPointerLeave={() => point(undefined)}
            onFocus={() => point(index)}
            onBlur={() => point(undefined)}
            onClick={() => (deciding ? choose(index) : point(index))}
            onKeyDown={event => keys(event, index)}
          >
            <Outline box={detection.box} view={view} color={color} />
            {!faint && (pointed || items.length <= mostLabels) && <Plate box={detection.box} view={view} frame={frame} color={color} text={pointed || frame.width >= roomForNames ? `${detection.label} ${percent(detection.score, 0)}` : percent(detection.score, 0)} />}
          </g>
        );
      })}
      {origin && (
        <g class="origin" aria-hidden="true">
          <rect class="anchor" stroke={levelColor(origin.anchor.level)} {...rectangle(origin.anchor.box, view)} />
          <rect class="proposal" stroke={levelColor(origin.proposal.level)} {...rectangle(origin.proposal.box, view)} />
        </g>
      )}
    </>
  );
}

/** A path a level: a thousand boxes cost five elements. */
function Proposals({ proposals, state, view }: { proposals: Proposal[]; state: State; view: View }) {
  const paths = new Map<string, string>();
  for (const { box, level } of proposals.slice(0, state.proposals.count)) {
    if (!state.proposals.hidden.has(level)) {
      paths.set(level, `${paths.get(level) ?? ''}${outlineOf(box, view)}`);
    }
  }

  return (
    <g class="proposals" aria-hidden="true">
      {[...paths].map(([level, path]) => <path key={level} d={path} stroke={levelColor(level)} data-level={level} />)}
    </g>
  );
}

/** The parts of the picture that were looked at; the one where something was found stands out. */
function Views({ views, found, view }: { views: ImageView[]; found: ImageView | undefined; view: View }) {
  const path = [...new Set(views.map(({ region }) => outlineOf(region, view)))].join('');
  return (
    <g class="views" aria-hidden="true">
      <path class="edge" d={path} />
      <path class="line" d={path} />
      {found && <rect class="found" {...rectangle(found.region, view)} />}
    </g>
  );
}
