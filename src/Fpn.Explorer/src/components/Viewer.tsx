import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { draw, redraw, selectBox } from '../drawing';
import type { Shown } from '../filter';
import { area, between, dragged, smallestAt, type Grip, type Point } from '../frame/geometry';
import { useGestures, type Stroke } from '../frame/gestures';
import { renew } from '../sending';
import { imageOf, modelOf, type Picture, type State } from '../state';
import type { Box } from '../types';
import { fit, pan, reveal, zoom, type Size, type View } from '../frame/viewport';
import { Icon } from './graphics/Icon';
import { Overlay } from './Overlay';

const step = 1.4;
const stride = 48;

/** The picture with what was found over it; zoomed and moved by wheel, fingers and keys. */
export function Viewer({ picture, items, state }: { picture: Picture; items: Shown[]; state: State }) {
  const frameElement = useRef<HTMLDivElement>(null);
  const [frame, setFrame] = useState<Size>({ width: 0, height: 0 });
  const [own, setOwn] = useState<Size>();
  const [drawable, setDrawable] = useState(true);
  const [moved, setMoved] = useState<View>();
  const [pen, setPen] = useState(true);
  const [boxes, setBoxes] = useState<readonly Box[]>();
  const model = modelOf(state);
  const canDraw = state.ask === 'regions' && model?.layout === 'two-stage';
  const size: Size | undefined = imageOf(picture) ?? own;

  useLayoutEffect(() => {
    const observer = new ResizeObserver(entries => {
      const { width, height } = entries[0]!.contentRect;
      setFrame({ width, height });
      setMoved(undefined);
    });
    observer.observe(frameElement.current!);
    return () => observer.disconnect();
  }, []);

  const view = size && frame.width > 0 ? (moved ?? fit(size, frame)) : undefined;
  const change = (by: (from: View, picture: Size, frame: Size) => View) =>
    setMoved(from => (size ? by(from ?? fit(size, frame), size, frame) : from));
  const zoomBy = (factor: number, at = { x: frame.width / 2, y: frame.height / 2 }) => change((from, of, within) => zoom(from, factor, at, of, within));

  /** Draws a box, or changes the one whose edge or corner is held; the others stay as they are. */
  const begin = (start: Point, on: Element): Stroke | undefined => {
    const held = on.closest<SVGElement>('[data-grip]');
    if (!view || !canDraw || (!pen && !held)) {
      return undefined;
    }

    const inPicture = ({ x, y }: Point) => ({ x: (x - view.x) / view.scale, y: (y - view.y) / view.scale });
    const from = inPicture(start);
    const drawn = picture.boxes;
    const index = held ? Number(held.closest<SVGElement>('[data-box]')!.dataset['box']) : drawn.length;
    let box: Box | undefined;
    return {
      move: to => {
        box = held ? dragged(drawn[index]!, held.dataset['grip'] as Grip, from, inPicture(to)) : between(from, inPicture(to));
        setBoxes([...drawn.slice(0, index), box, ...drawn.slice(index + 1)]);
      },
      end: moved => {
        setBoxes(undefined);
        if (!moved || !box) {
          selectBox(held ? index : smallestAt(from, drawn));
        } else if (held) {
          redraw(index, box);
          renew();
        } else if (area(box) > 0) {
          draw(box);
        }
      },
      cancel: () => setBoxes(undefined),
    };
  };
  useGestures(frameElement, { zoomBy, panBy: (dx, dy) => change((from, of, within) => pan(from, dx, dy, of, within)), begin });

  // What is pointed at in the table comes into sight.
  const pointed = state.ask === 'regions' ? state.selected : state.pointed;
  useEffect(() => {
    const box = pointed === undefined
      ? undefined
      : state.ask === 'regions' ? picture.boxes[pointed] : picture.replies.detections?.answer.detections[pointed]?.box;
    if (box && moved) {
      change((from, of, within) => reveal(from, box, of, within));
    }
  }, [pointed]);

  const keys = (event: KeyboardEvent) => {
    const actions: Record<string, () => void> = {
      '+': () => zoomBy(step),
      '=': () => zoomBy(step),
      '-': () => zoomBy(1 / step),
      '0': () => setMoved(undefined),
      ArrowLeft: () => change((from, of, within) => pan(from, stride, 0, of, within)),
      ArrowRight: () => change((from, of, within) => pan(from, -stride, 0, of, within)),
      ArrowUp: () => change((from, of, within) => pan(from, 0, stride, of, within)),
      ArrowDown: () => change((from, of, within) => pan(from, 0, -stride, of, within)),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (action) {
      action();
      event.preventDefault();
    }
  };

  return (
    <div class="viewer">
      <div
        ref={frameElement}
        class={`frame${moved ? ' moved' : ''}${canDraw && pen ? ' drawing' : ''}`}
        role="group"
        tabIndex={0}
        aria-label={`${picture.name}. Plus and minus zoom, arrows move, zero shows all.`}
        onKeyDown={keys}
      >
        {drawable ? (
          <img
            class="picture"
            src={picture.url}
            alt={picture.name}
            draggable={false}
            onLoad={event => setOwn({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight })}
            onError={() => setDrawable(false)}
            style={view && size ? { width: size.width, height: size.height, transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`, imageRendering: view.scale > 3 ? 'pixelated' : 'auto' } : { visibility: 'hidden' }}
          />
        ) : (
          view && size && (
            <div class="picture blank" style={{ width: size.width * view.scale, height: size.height * view.scale, transform: `translate(${view.x}px, ${view.y}px)` }} />
          )
        )}
        {view && <Overlay picture={picture} boxes={boxes ?? picture.boxes} items={items} model={model} state={state} view={view} frame={frame} />}
        {!drawable && size && <p class="hint">Your browser cannot show this kind of picture. The boxes are where they belong.</p>}
        {canDraw && pen && size && picture.state === 'done' && picture.boxes.length === 0 && !boxes && <p class="hint top">Drag to draw a box.</p>}
        <Progress picture={picture} />
      </div>
      <div class="tools" role="toolbar" aria-label="Zoom">
        {canDraw && (
          <button type="button" class="icon" aria-label="Draw" title="Draw; otherwise drag moves the picture" aria-pressed={pen} onClick={() => setPen(!pen)}><Icon name="pen" /></button>
        )}
        <button type="button" class="icon" aria-label="Zoom in" onClick={() => zoomBy(step)}><Icon name="plus" /></button>
        <button type="button" class="icon" aria-label="Zoom out" onClick={() => zoomBy(1 / step)}><Icon name="minus" /></button>
        <button type="button" class="icon" aria-label="Show all" onClick={() => setMoved(undefined)}><Icon name="fit" /></button>
        <span class="small scale">{view ? `${Math.round(view.scale * 100)} %` : ''}</span>
      </div>
    </div>
  );
}

function Progress({ picture }: { picture: Picture }) {
  if (picture.state === 'sending') {
    return (
      <p class="progress">
        <label>Uploading <progress max={1} value={picture.sent} /></label> {Math.round(picture.sent * 100)} %
      </p>
    );
  }

  return picture.state === 'thinking' || picture.state === 'waiting' ? (
    <p class="progress"><label>{picture.state === 'waiting' ? 'Waiting' : 'Looking'} <progress /></label></p>
  ) : null;
}
