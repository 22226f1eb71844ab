import { useState } from 'preact/hooks';
import { chooseProposals } from '../actions';
import type { ProposalChoice } from '../question';
import type { State } from '../state';

type Name = keyof ProposalChoice;

const fields: [Name, string, { min: number; max?: number; step: number | 'any' }][] = [
  ['topN', 'At most', { min: 1, step: 1 }],
  ['nmsThreshold', 'Removed above an overlap of', { min: 0, max: 1, step: 'any' }],
  ['scoreThreshold', 'Objectness at least', { min: 0, max: 1, step: 'any' }],
];

/** The numbers with which the first stage chooses its proposals. */
export function ProposalNumbers({ state }: { state: State }) {
  const [draft, setDraft] = useState<Partial<Record<Name, string>>>(() => draftOf(state.proposalChoice));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    chooseProposals(choiceOf(draft));
  };
  return (
    <details class="choice">
      <summary>
        Other numbers <span class="quiet">{state.proposalChoice ? 'on' : 'off'}</span>
      </summary>
      <form onSubmit={submit}>
        {fields.map(([name, text, rule]) => (
          <label key={name}>
            <span>{text}</span>
            <input
              type="number"
              {...rule}
              value={draft[name] ?? ''}
              placeholder="the model's own"
              onInput={event => setDraft({ ...draft, [name]: event.currentTarget.value })}
            />
          </label>
        ))}
        <div class="buttons">
          <button type="submit" class="strong">Look again</button>
          {state.proposalChoice && (
            <button
              type="button"
              onClick={() => {
                setDraft({});
                chooseProposals(undefined);
              }}
            >
              Back to the usual
            </button>
          )}
        </div>
      </form>
    </details>
  );
}

function draftOf(choice: ProposalChoice | undefined): Partial<Record<Name, string>> {
  return Object.fromEntries(Object.entries(choice ?? {}).map(([name, value]) => [name, String(value)]));
}

/** Undefined where nothing is typed. */
function choiceOf(draft: Partial<Record<Name, string>>): ProposalChoice | undefined {
  const typed = Object.entries(draft).filter(([, value]) => value !== '').map(([name, value]) => [name, Number(value)]);
  return typed.length === 0 ? undefined : Object.fromEntries(typed) as ProposalChoice;
}
