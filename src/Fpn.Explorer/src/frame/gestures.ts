import { useEffect, useRef } from 'preact/hooks';
import type { Point } from './geometry';

/** What one finger or the mouse does, from press to release, when it does not move the picture. */
export interface Stroke {
  move(to: Point): void;
  /** @param dragged Whether it moved; otherwise it was a click. */
  end(dragged: boolean): void;
  cancel(): void;
}

interface Actions {
  zoomBy(factor: number, at: Point): void;
  panBy(dx: number, dy: number): void;
  /** The stroke that begins at a point; undefined where the picture is to be moved. */
  begin(at: Point, on: Element): Stroke | undefined;
}

/** Hands tremble: whatever moves less than this, in CSS pixels, is a click. */
const tremble = 4;

/** Wheel zooms, one finger or the mouse moves or draws, two fingers pinch. Points are in pixels of the element. */
export function useGestures(element: { current: HTMLElement | null }, actions: Actions): void {
  const act = useRef(actions);
  act.current = actions;
  useEffect(() => {
    const target = element.current!;
    const down = new Map<number, Point>();
    let stroke: { action: Stroke; from: Point; dragged: boolean } | undefined;
    const at = (event: MouseEvent) => {
      const corner = target.getBoundingClientRect();
      return { x: event.clientX - corner.left, y: event.clientY - corner.top };
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      if (stroke) {
        return;
      }

      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
      act.current.zoomBy(Math.exp(-lines / 400), at(event));
    };
    const press = (event: PointerEvent) => {
      if (event.button !== 0) {
        return;
      }

      const from = at(event);

      // A second finger says that the first one did not mean to draw.
      const action = down.size === 0 ? act.current.begin(from, event.target as Element) : undefined;
      stroke?.action.cancel();
      stroke = action && { action, from, dragged: false };
      down.set(event.pointerId, from);
    };
    const move = (event: PointerEvent) => {
      const before = down.get(event.pointerId);
      if (!before) {
        return;
      }

      const now = at(event);
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      if (stroke) {
        stroke.dragged ||= Math.hypot(now.x - stroke.from.x, now.y - stroke.from.y) >= tremble;
        if (stroke.dragged) {
          stroke.action.move(now);
        }
      } else if (other) {
        const apart = (from: Point) => Math.hypot(from.x - other.x, from.y - other.y);
        const spread = apart(now) / Math.max(1, apart(before));
        act.current.zoomBy(spread, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
      } else {
        act.current.panBy(now.x - before.x, now.y - before.y);
      }

      down.set(event.pointerId, now);
      // Taken only once it moves: a click on a box must stay a click on the box.
      target.setPointerCapture(event.pointerId);
    };
    const release = (event: PointerEvent) => {
      if (down.delete(event.pointerId) && stroke) {
        const { action, dragged } = stroke;
        stroke = undefined;
        if (event.type === 'pointerup') {
          action.end(dragged);
        } else {
          action.cancel();
        }
      }
    };
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
