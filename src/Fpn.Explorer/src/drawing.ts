import { renew } from './sending';
import { change, currentOf, state, update } from './state';
import type { Box } from './types';

// Boxes drawn by hand on the current picture. A change of one asks about all of them, in one request.

/** Draws one more, and shows what is in it. */
export function draw(box: Box): void {
  const item = currentOf(state);
  if (item) {
    setBoxes([...item.boxes, box]);
    selectBox(item.boxes.length);
    renew();
  }
}

/** Moves a box or changes its size. Call `renew` at the end of the movement to ask about it. */
export function redraw(index: number, box: Box): void {
  setBoxes(currentOf(state)?.boxes.with(index, box) ?? []);
}

export function erase(index: number): void {
  setBoxes(currentOf(state)?.boxes.filter((_, at) => at !== index) ?? []);
  update({}, 'selected');
  renew();
}

export function eraseAll(): void {
  setBoxes([]);
  update({}, 'selected');
  renew();
}

/** Shows what is in a box. */
export function selectBox(index: number | undefined): void {
  if (state.selected !== index) {
    update(index === undefined ? {} : { selected: index }, 'selected');
  }
}

function setBoxes(boxes: readonly Box[]): void {
  if (state.current !== undefined) {
    change(state.current, { boxes });
  }
}
