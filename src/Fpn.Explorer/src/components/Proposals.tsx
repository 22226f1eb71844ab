import type { ComponentChildren } from 'preact';
import { levelColor } from '../colors';
import { update, type State } from '../state';
import { percent } from '../text';
import type { Proposal, ProposalsAnswer } from '../types';
import { Swatch } from './graphics/Swatch';
import { Histogram } from './graphics/Histogram';

/** The first stage alone. */
export function Proposals({ answer, state }: { answer: ProposalsAnswer; state: State }) {
  const { proposals } = answer;
  const last = proposals[Math.min(state.proposals.count, proposals.length) - 1];
  return (
    <>
      <p class="quiet">The first stage alone: regions worth a look, whatever is in them.</p>
      <ProposalFilter proposals={proposals} state={state}>
        {last && <p class="quiet">The last one shown has an objectness of {percent(last.objectness, 2)}.</p>}
      </ProposalFilter>
      <Histogram title="Proposals by size" entries={proposals} />
    </>
  );
}

/** How many proposals are drawn, and of which levels. */
export function ProposalFilter({ proposals, state, children }: {
  /** Best first. */
  proposals: Proposal[];
  state: State;
  children: ComponentChildren;
}) {
  const { count: most, hidden } = state.proposals;
  const levels = [...new Set(proposals.map(({ level }) => level))].sort();
  const first = proposals.slice(0, most);
  const toggle = (level: string) => {
    const next = new Set(hidden);
    update({ proposals: { count: most, hidden: next.delete(level) ? next : next.add(level) } });
  };
  return (
    <fieldset class="filters">
      <legend>Proposals, best first</legend>
      <label>
        <span>Show</span>
        <span class="value">{first.length} of {proposals.length}</span>
        <input
          type="range"
          min={0}
          max={proposals.length}
          value={most}
          aria-label="Proposals shown"
          onInput={event => update({ proposals: { count: event.currentTarget.valueAsNumber, hidden } })}
        />
      </label>
      <div class="chips" role="group" aria-label="Levels">
        {levels.map(level => (
          <label class="chip" key={level}>
            <input type="checkbox" checked={!hidden.has(level)} onChange={() => toggle(level)} />
            <Swatch color={levelColor(level)} />
            {level.toUpperCase()} <span class="quiet">{first.filter(proposal => proposal.level === level).length}</span>
          </label>
        ))}
      </div>
      {children}
    </fieldset>
  );
}
