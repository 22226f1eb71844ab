import type { Box } from '../../types';
import type { Size, View } from '../../frame/viewport';

/** A box as a part of a path. */
export function outlineOf(box: Box, view: View): string {
  const { x, y, width, height } = rectangle(box, view);
  return `M${x.toFixed(1)} ${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}z`;
}

/** A line that stands out on light and on dark. */
export function Outline({ box, view, color }: { box: Box; view: View; color: string }) {
  return (
    <>
      <rect class="edge" {...rectangle(box, view)} />
      <rect class="line" stroke={color} {...rectangle(box, view)} />
    </>
  );
}

/** What a box is, at its upper left corner. */
export function Plate({ box, view, frame, color, text }: { box: Box; view: View; frame: Size; color: string; text: string }) {
  const { x, y } = rectangle(box, view);
  const width = widthOf(text) + 10;
  const left = Math.min(Math.max(x - 1, 0), Math.max(0, frame.width - width));
  const top = y >= 18 ? y - 18 : Math.max(y, 0);
  return (
    <g class="plate">
      <rect x={left} y={top} width={width} height={18} fill={color} />
      <text x={left + 5} y={top + 13}>{text}</text>
    </g>
  );
}

/** Letters differ in width, and the system's font is not known beforehand. */
const measuring = document.createElement('canvas').getContext('2d')!;
measuring.font = '600 11.5px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';
const widths = new Map<string, number>();

function widthOf(text: string): number {
  const known = widths.get(text) ?? measuring.measureText(text).width;
  widths.set(text, known);
  return known;
}

/** Where a box lies in the frame. */
export function rectangle(box: Box, view: View): { x: number; y: number; width: number; height: number } {
  return {
    x: view.x + box.x1 * view.scale,
    y: view.y + box.y1 * view.scale,
    width: (box.x2 - box.x1) * view.scale,
    height: (box.y2 - box.y1) * view.scale,
  };
}
