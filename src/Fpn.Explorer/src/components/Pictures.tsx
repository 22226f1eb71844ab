import { shown, type Shown } from '../filter';
import { openTab, retry } from '../actions';
import { currentOf, imageOf, modelOf, type Picture, type State, type Tab } from '../state';
import type { Model } from '../types';
import type { Ask } from '../question';
import { Asks } from './Asks';
import { Decision } from './Decision';
import { Detections } from './Detections';
import { Gallery } from './Gallery';
import { FaultNotice } from './Notices';
import { ProposalNumbers } from './ProposalNumbers';
import { Proposals } from './Proposals';
import { Regions } from './Regions';
import { DetectionRequest, ProposalRequest, RegionRequest } from './RequestPanel';
import { Viewer } from './Viewer';
import { Views } from './Views';

const tabs: Record<Ask, [Tab, string][]> = {
  detections: [['results', 'Detections'], ['decision', 'How it decided'], ['request', 'Request']],
  proposals: [['results', 'Proposals'], ['request', 'Request']],
  regions: [['results', 'Boxes'], ['request', 'Request']],
};

/** The picture at hand, what is known of it, and the others. */
export function Pictures({ state }: { state: State }) {
  const picture = currentOf(state);
  const model = modelOf(state);
  const answer = picture?.replies.detections?.answer;
  const items = answer ? shown(answer, state.filter) : [];
  return (
    <div class="bench">
      <div class="stage">
        {picture?.state === 'failed' && picture.fault && picture.fault.kind !== 'offline' && (
          <FaultNotice fault={picture.fault} onRetry={() => retry(picture.id)} />
        )}
        {picture && <Viewer key={picture.id} picture={picture} items={items} state={state} />}
        <Gallery state={state} />
      </div>
      <section class="panel" aria-label="Results">
        <Asks state={state} />
        {state.ask === 'detections' && <Views picture={picture} state={state} />}
        {state.ask === 'proposals' && <ProposalNumbers state={state} />}
        <Tabs ask={state.ask} current={state.tab} />
        <div role="tabpanel" id={`panel-${state.tab}`} aria-labelledby={`tab-${state.tab}`} tabIndex={-1} class="panel-content">
          {picture && model && <Results picture={picture} model={model} items={items} state={state} />}
        </div>
      </section>
    </div>
  );
}

interface ResultsProps {
  picture: Picture;
  model: Model;
  items: Shown[];
  state: State;
}

/** What is known of a picture, in the open tab. */
function Results({ picture, model, items, state }: ResultsProps) {
  const { detections, proposals, regions } = picture.replies;
  const missing = <p class="quiet">{picture.state === 'failed' ? 'There are no results for this picture.' : 'The results come here.'}</p>;
  if (state.ask !== 'detections' && model.layout !== 'two-stage') {
    return <p class="empty">The model {model.name} is one graph with everything inside: its stages cannot be asked alone.</p>;
  }

  switch (state.ask) {
    case 'detections': {
      if (!detections) {
        return missing;
      }

      const { answer } = detections;
      return state.tab === 'results' ? (
        <Detections answer={answer} items={items} model={model} state={state} />
      ) : state.tab === 'decision' ? (
        <Decision answer={answer} items={items} model={model} picture={picture} state={state} />
      ) : (
        <DetectionRequest reply={detections} items={items} model={model} picture={picture} state={state} />
      );
    }

    case 'proposals':
      return !proposals ? missing : state.tab === 'results' ? (
        <Proposals answer={proposals.answer} state={state} />
      ) : (
        <ProposalRequest reply={proposals} model={model} picture={picture} />
      );
    case 'regions': {
      const image = imageOf(picture);
      return state.tab === 'results' ? (
        image ? <Regions picture={picture} image={image} model={model} state={state} /> : missing
      ) : regions && picture.boxes.length > 0 ? (
        <RegionRequest reply={regions} model={model} picture={picture} />
      ) : (
        <p class="quiet">Draw a box first.</p>
      );
    }
  }
}

/** Tabs as the ARIA practices describe them: arrows move between them, one tab stop for all. */
function Tabs({ ask, current }: { ask: Ask; current: Tab }) {
  const offered = tabs[ask];
  const move = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by !== 0) {
      const at = offered.findIndex(([tab]) => tab === current);
      const [next] = offered[(at + by + offered.length) % offered.length]!;
      openTab(next);
      document.getElementById(`tab-${next}`)?.focus();
      event.preventDefault();
    }
  };
  return (
    <div role="tablist" aria-label="Results" class="tabs" onKeyDown={move}>
      {offered.map(([tab, name]) => (
        <button
          type="button"
          role="tab"
          key={tab}
          id={`tab-${tab}`}
          aria-selected={tab === current}
          aria-controls={tab === current ? `panel-${tab}` : undefined}
          tabIndex={tab === current ? 0 : -1}
          onClick={() => openTab(tab)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
