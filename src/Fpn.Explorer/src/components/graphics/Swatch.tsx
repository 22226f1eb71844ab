/** A spot of color; an attribute of SVG, since the page's policy allows no style of elements. */
export function Swatch({ color }: { color: string }) {
  return <svg class="swatch" width="10" height="10" aria-hidden="true"><rect width="10" height="10" rx="3" fill={color} /></svg>;
}
