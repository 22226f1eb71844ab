import { ask } from '../actions';
import type { Ask } from '../question';
import type { State } from '../state';

const asks: [Ask, string][] = [['detections', 'Detect'], ['proposals', 'Proposals alone'], ['regions', 'Draw boxes']];

/** Which part of the model is asked. */
export function Asks({ state }: { state: State }) {
  return (
    <div class="segments asks" role="group" aria-label="What to ask for">
      {asks.map(([about, name]) => (
        <button type="button" key={about} aria-pressed={state.ask === about} onClick={() => ask(about)}>{name}</button>
      ))}
    </div>
  );
}
