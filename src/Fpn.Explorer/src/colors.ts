import type { Model } from './types';

const golden = 0.618033988749895;
const saturations = [0.78, 0.45, 0.62];

/** Nearly black: text on plates of a class's color. */
export const outline = '#101010';

/** The color of a class by its place among the model's labels: the hue that the service paints, less saturated. */
export function classColor(index: number): string {
  const hue = (index * golden) % 1;
  for (let saturation = saturations[Math.floor(index / 8) % saturations.length]!; ; saturation -= 0.02) {
    const rgb = [5, 3, 1].map(offset => {
      const k = (offset + hue * 6) % 6;
      return Math.round(255 * (1 - saturation * Math.min(Math.max(Math.min(k, 4 - k), 0), 1)));
    });

    // Against nearly black text; blue and its neighbors are dark however bright they are.
    if ((luminance(rgb) + 0.05) / (luminance([16, 16, 16]) + 0.05) >= 4.5) {
      return `rgb(${rgb.join(' ')})`;
    }
  }
}

/** The color of a class by its name. */
export function labelColor(label: string, model: Model | undefined): string {
  return classColor(model?.classes.findIndex(item => item.label === label) ?? 0);
}

/** Fine to coarse; distinguishable without red or green. */
const levels = ['#f0a202', '#d6467f', '#3f8efc', '#18a999', '#8c6fe6'];

/** The color of a pyramid level by its number: p2 is the first. */
export function levelColor(level: string): string {
  const number = Number(/\d+$/.exec(level)?.[0] ?? 0);
  return levels[(number + levels.length * 2 - 2) % levels.length]!;
}

function luminance(rgb: number[]): number {
  const [r, g, b] = rgb.map(value => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
