import { labelColor, outline } from './colors';
import type { Shown } from './filter';
import { percent } from './text';
import type { Answer, Envelope, Model } from './types';

/** Hands a file to the browser. */
export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();

  // The browser has taken the content when the click returns, but Safari only a moment later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The answer with only what is shown, in the service's own form. */
export function json(answer: Answer, items: Shown[]): Blob {
  const { explain, ...rest } = answer;
  const filtered = {
    ...rest,
    detections: items.map(({ detection }) => detection),
    ...(explain ? { explain: { ...explain, detections: items.map(({ index }) => explain.detections[index]) } } : {}),
  };
  return jsonOf(filtered);
}

/** An answer as it is. */
export function jsonOf(answer: Envelope): Blob {
  return new Blob([`${JSON.stringify(answer, null, 2)}\n`], { type: 'application/json' });
}

/** The picture with its boxes, in its own size. */
export async function png(url: string, answer: Answer, items: Shown[], model: Model): Promise<Blob> {
  const { width, height } = answer.image;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d')!;
  const picture = new Image();
  picture.src = url;
  try {
    await picture.decode();
    context.drawImage(picture, 0, 0, width, height);
  } catch {
    // A TIFF, say, which the browser cannot show: the boxes are drawn on gray, as in the page.
    context.fillStyle = '#808080';
    context.fillRect(0, 0, width, height);
  }

  const line = Math.max(1.5, Math.min(width, height) / 240);
  const size = Math.max(11, Math.min(width, height) / 36);
  context.lineWidth = line;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  for (const { detection } of items.toReversed()) {
    const { x1, y1, x2, y2 } = detection.box;
    const color = labelColor(detection.label, model);
    context.strokeStyle = color;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    const text = `${detection.label} ${percent(detection.score, 0)}`;
    const plate = { width: context.measureText(text).width + size * 0.7, height: size * 1.4 };
    const x = Math.max(0, Math.min(x1, width - plate.width));
    const y = y1 >= plate.height ? y1 - plate.height : y1;
    context.fillStyle = color;
    context.fillRect(x, y, plate.width, plate.height);
    context.fillStyle = outline;
    context.fillText(text, x + size * 0.35, y + plate.height / 2);
  }

  return new Promise((resolve, reject) =>
    canvas.toBlob(blob => (blob ? resolve(blob) : reject(new Error('The browser made no PNG.'))), 'image/png'));
}
