// Where a picture lies in the window it is looked at through: a scale and an offset, in CSS pixels.

export interface View {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

const margin = 12;
const largest = 32;

/** The whole picture, in the middle. */
export function fit(picture: Size, frame: Size): View {
  const scale = Math.min((frame.width - 2 * margin) / picture.width, (frame.height - 2 * margin) / picture.height);
  const sane = Math.max(scale, 0.01);
  return { scale: sane, x: (frame.width - picture.width * sane) / 2, y: (frame.height - picture.height * sane) / 2 };
}

/** Zooms about a point of the frame, which stays over the same point of the picture. */
export function zoom(view: View, factor: number, at: { x: number; y: number }, picture: Size, frame: Size): View {
  const smallest = Math.min(fit(picture, frame).scale, 1);
  const scale = Math.min(Math.max(view.scale * factor, smallest), largest);
  const change = scale / view.scale;
  return keepInside({ scale, x: at.x - (at.x - view.x) * change, y: at.y - (at.y - view.y) * change }, picture, frame);
}

export function pan(view: View, dx: number, dy: number, picture: Size, frame: Size): View {
  return keepInside({ ...view, x: view.x + dx, y: view.y + dy }, picture, frame);
}

/** Moves as little as brings a box into the frame. */
export function reveal(
  view: View, box: { x1: number; y1: number; x2: number; y2: number }, picture: Size, frame: Size,
): View {
  const move = (from: number, to: number, length: number) =>
    to - from > length ? (length - from - to) / 2
      : from < margin ? margin - from
        : to > length - margin ? length - margin - to : 0;
  const dx = move(view.x + box.x1 * view.scale, view.x + box.x2 * view.scale, frame.width);
  const dy = move(view.y + box.y1 * view.scale, view.y + box.y2 * view.scale, frame.height);
  return dx === 0 && dy === 0 ? view : pan(view, dx, dy, picture, frame);
}

/** A picture smaller than the frame stays in its middle; a larger one may not leave it. */
function keepInside(view: View, picture: Size, frame: Size): View {
  const axis = (offset: number, length: number, room: number) =>
    length <= room ? (room - length) / 2 : Math.min(Math.max(offset, room - margin - length), margin);
  return {
    scale: view.scale,
    x: axis(view.x, picture.width * view.scale, frame.width),
    y: axis(view.y, picture.height * view.scale, frame.height),
  };
}
