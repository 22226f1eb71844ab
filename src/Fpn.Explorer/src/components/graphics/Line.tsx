/** How a line of the picture looks. */
export function Line({ kind, color }: { kind: string; color: string }) {
  return <svg class="sample-line" width="22" height="22" aria-hidden="true"><rect class={kind} x="2" y="4" width="18" height="14" stroke={color} /></svg>;
}
