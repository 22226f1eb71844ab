import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Shown } from '../filter';
import { modelOf, type Picture, type State } from '../state';
import { fit, pan, reveal, zoom, type Size, type View } from '../viewport';
import { Icon } from './Icon';
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
  const answer = picture.answer;
  const size: Size | undefined = answer ? answer.image : own;

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
  useGestures(frameElement, zoomBy, (dx, dy) => change((from, of, within) => pan(from, dx, dy, of, within)));

  // What is pointed at in the table comes into sight.
  const pointed = state.pointed === undefined ? undefined : answer?.detections[state.pointed];
  useEffect(() => {
    if (pointed && moved) {
      change((from, of, within) => reveal(from, pointed.box, of, within));
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
        class={moved ? 'frame moved' : 'frame'}
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
        {view && answer && <Overlay answer={answer} items={items} model={modelOf(state)} state={state} view={view} frame={frame} />}
        {!drawable && answer && <p class="hint">Your browser cannot show this kind of picture. The boxes are where they belong.</p>}
        <Progress picture={picture} />
      </div>
      <div class="tools" role="toolbar" aria-label="Zoom">
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

/** Wheel zooms, one finger or the mouse moves, two fingers pinch. */
function useGestures(
  element: { current: HTMLDivElement | null },
  zoomBy: (factor: number, at: { x: number; y: number }) => void,
  panBy: (dx: number, dy: number) => void,
): void {
  const act = useRef({ zoomBy, panBy });
  act.current = { zoomBy, panBy };
  useEffect(() => {
    const target = element.current!;
    const down = new Map<number, { x: number; y: number }>();
    const at = (event: MouseEvent) => {
      const corner = target.getBoundingClientRect();
      return { x: event.clientX - corner.left, y: event.clientY - corner.top };
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
      act.current.zoomBy(Math.exp(-lines / 400), at(event));
    };
    const press = (event: PointerEvent) => {
      if (event.button === 0) {
        down.set(event.pointerId, at(event));
      }
    };
    const move = (event: PointerEvent) => {
      const before = down.get(event.pointerId);
      if (!before) {
        return;
      }

      const now = at(event);
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const spread = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
        act.current.zoomBy(spread, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
      } else {
        act.current.panBy(now.x - before.x, now.y - before.y);
      }

      down.set(event.pointerId, now);
      // Taken only once it moves: a click on a box must stay a click on the box.
      target.setPointerCapture(event.pointerId);
    };
    const release = (event: PointerEvent) => void down.delete(event.pointerId);
    target.addEventListener('wheel', wheel, { passive: false });
    target.addEventListener('pointerdown', press);
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', release);
    target.addEventListener('pointercancel', release);
    return () => {
      target.removeEventListener('wheel', wheel);
      target.removeEventListener('pointerdown', press);
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', release);
      target.removeEventListener('pointercancel', release);
    };
  }, []);
}
