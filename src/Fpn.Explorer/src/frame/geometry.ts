import type { Box } from '../types';

export interface Point {
  x: number;
  y: number;
}

/** Where a box is held: at its edge, or at one of its corners. */
export type Grip = 'edge' | Corner;

export type Corner = 'nw' | 'ne' | 'sw' | 'se';

export const corners: Corner[] = ['nw', 'ne', 'sw', 'se'];

/** The box between two points, in whole pixels. */
export function between(one: Point, other: Point): Box {
  const [x1, x2] = [one.x, other.x].map(Math.round).sort((a, b) => a - b) as [number, number];
  const [y1, y2] = [one.y, other.y].map(Math.round).sort((a, b) => a - b) as [number, number];
  return { x1, y1, x2, y2 };
}

export function cornerOf({ x1, y1, x2, y2 }: Box, corner: Corner): Point {
  return { x: corner.endsWith('w') ? x1 : x2, y: corner.startsWith('n') ? y1 : y2 };
}

/** The box after its grip was dragged from one point to another. */
export function dragged(box: Box, grip: Grip, from: Point, to: Point): Box {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (grip === 'edge') {
    return moved(box, Math.round(dx), Math.round(dy));
  }

  const held = cornerOf(box, grip);
  return between({ x: held.x + dx, y: held.y + dy }, cornerOf(box, opposite[grip]));
}

const opposite: Record<Corner, Corner> = { nw: 'se', ne: 'sw', sw: 'ne', se: 'nw' };

export function moved({ x1, y1, x2, y2 }: Box, dx: number, dy: number): Box {
  return { x1: x1 + dx, y1: y1 + dy, x2: x2 + dx, y2: y2 + dy };
}

/** Moves the lower right corner; at least a pixel is left. */
export function stretched({ x1, y1, x2, y2 }: Box, dx: number, dy: number): Box {
  return { x1, y1, x2: Math.max(x2 + dx, x1 + 1), y2: Math.max(y2 + dy, y1 + 1) };
}

/** The place of the smallest box that a point lies in. */
export function smallestAt({ x, y }: Point, boxes: readonly Box[]): number | undefined {
  return boxes
    .map((box, index) => ({ box, index }))
    .filter(({ box }) => x >= box.x1 && x <= box.x2 && y >= box.y1 && y <= box.y2)
    .sort((a, b) => area(a.box) - area(b.box))[0]?.index;
}

export const area = (box: Box): number => (box.x2 - box.x1) * (box.y2 - box.y1);
