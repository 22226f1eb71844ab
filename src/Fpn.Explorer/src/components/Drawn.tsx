import { useLayoutEffect, useRef } from 'preact/hooks';
import { labelColor } from '../colors';
import { erase, redraw, selectBox } from '../drawing';
import { cornerOf, corners, moved, stretched } from '../frame/geometry';
import { bestOf, describeRegion, regionOf } from '../regions';
import { renew } from '../sending';
import type { Picture } from '../state';
import { place } from '../text';
import type { Box, Model } from '../types';
import type { Size, View } from '../frame/viewport';
import { Outline, Plate, rectangle } from './graphics/shapes';

/** How far an arrow key moves a box, in pixels of the frame: zoomed in, it moves it finer. */
const stride = 8;

/** Plates of boxes without a class. */
const neutral = '#c9d2d6';

interface Props {
  picture: Picture;
  /** Those of the picture, and what is being drawn. */
  boxes: readonly Box[];
  selected: number | undefined;
  model: Model | undefined;
  view: View;
  frame: Size;
}

/** Boxes drawn by hand, and as the second stage refined them. */
export function Drawn({ picture, boxes, selected, model, view, frame }: Props) {
  const elements = useRef<(SVGGElement | null)[]>([]);
  const before = useRef(picture.boxes.length);
  const held = selected === undefined ? undefined : boxes[selected];
  const focus = () => selected !== undefined && elements.current[selected]?.focus({ preventScroll: true });
  useLayoutEffect(() => {
    // A new box has the keys, and one that is selected in the picture. At once: what has the focus is selected, so a
    // focus that came late would take back a selection that was made meanwhile.
    if (picture.boxes.length > before.current || document.activeElement?.closest('.frame')) {
      focus();
    }

    before.current = picture.boxes.length;
  }, [selected, picture.boxes.length]);

  const keys = (event: KeyboardEvent, index: number, box: Box) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (by) {
      const step = Math.max(1, Math.round(stride / view.scale));
      redraw(index, (event.shiftKey ? stretched : moved)(box, by[0]! * step, by[1]! * step));
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      elements.current[index]?.closest<HTMLElement>('.frame')?.focus();
      erase(index);
    } else {
      return;
    }

    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      {boxes.map((box, index) => {
        const region = regionOf(picture.replies.regions, box);
        const seen = region && !('error' in region) ? region : undefined;
        const best = seen && bestOf(seen);
        const text = region ? describeRegion(region, 0) : '…';
        return (
          <g
            key={index}
            ref={element => void (elements.current[index] = element)}
            class={`drawn${selected === index ? ' selected' : ''}`}
            role="button"
            tabindex={0}
            data-box={index}
            aria-current={selected === index}
            aria-label={`Box ${index + 1}, ${text}, ${place(box)}. Arrows move it, with Shift they change its size, Delete removes it`}
            onFocus={() => selectBox(index)}
            onBlur={renew}
            onKeyDown={event => keys(event, index, box)}
            onKeyUp={renew}
          >
            <Outline box={box} view={view} color="#fff" />
            <rect class="hold" data-grip="edge" {...rectangle(box, view)} />
            {seen && <rect class="refined" stroke={labelColor(seen.scores[0]!.label, model)} {...rectangle(seen.box, view)} />}
            <Plate box={box} view={view} frame={frame} color={best ? labelColor(best.label, model) : neutral} text={`${index + 1} ${text}`} />
          </g>
        );
      })}
      {held && (
        // Over the others, whose edges may lie here.
        <g
          data-box={selected}
          aria-hidden="true"
          onMouseDown={event => {
            event.preventDefault();
            focus();
          }}
        >
          <rect class="hold" data-grip="edge" {...rectangle(held, view)} />
          {corners.map(corner => {
            const { x, y } = cornerOf(held, corner);
            return <rect key={corner} class={`corner ${corner}`} data-grip={corner} x={view.x + x * view.scale - 5} y={view.y + y * view.scale - 5} width={10} height={10} />;
          })}
        </g>
      )}
    </>
  );
}
