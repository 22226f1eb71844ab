import type { Box } from './types';

/** "2.4 MB" */
export function fileSize(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} bytes`;
  }

  // Rounded down: a limit must not promise more than there is.
  return bytes < 1e6 ? `${Math.floor(bytes / 1e3)} kB` : `${Math.floor(bytes / 1e5) / 10} MB`;
}

/** "99.9 %", rounded down: 100 would say that there is no doubt. */
export function percent(fraction: number, decimals = 1): string {
  const scale = 10 ** decimals;

  // A little more first: 100 * 0.29 is less than 29.
  return `${(Math.floor(100 * scale * fraction + 1e-6) / scale).toFixed(decimals)} %`;
}

/** "12.3 ms", "1.20 s" */
export function duration(milliseconds: number): string {
  if (milliseconds >= 1000) {
    return `${(milliseconds / 1000).toFixed(2)} s`;
  }

  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${milliseconds.toFixed(0)} ms`;
}

/** "1 box", "2 boxes" */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** "JPEG, PNG and WebP" */
export function list(names: string[], last: 'and' | 'or'): string {
  return new Intl.ListFormat('en-GB', { type: last === 'and' ? 'conjunction' : 'disjunction' }).format(names);
}

/** "112 × 116 at 85, 364" */
export function place(box: Box): string {
  return placeParts(box).join(' ');
}

/** Size, then the upper left corner. */
export function placeParts(box: Box): [string, string] {
  return [
    `${(box.x2 - box.x1).toFixed(0)} × ${(box.y2 - box.y1).toFixed(0)}`,
    `at ${box.x1.toFixed(0)}, ${box.y1.toFixed(0)}`,
  ];
}

/** A file name without its ending. */
export function stem(name: string): string {
  return name.replace(/\.[^.]*$/, '') || 'picture';
}
