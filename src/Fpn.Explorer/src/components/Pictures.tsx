import { shown } from '../filter';
import { openTab, retry } from '../actions';
import { currentOf, modelOf, type State, type Tab } from '../state';
import { Decision } from './Decision';
import { Detections } from './Detections';
import { Gallery } from './Gallery';
import { FaultNotice } from './Notices';
import { RequestPanel } from './RequestPanel';
import { Viewer } from './Viewer';
import { Views } from './Views';

const tabs: [Tab, string][] = [['detections', 'Detections'], ['decision', 'How it decided'], ['request', 'Request']];

/** The picture at hand, what is known of it, and the others. */
export function Pictures({ state }: { state: State }) {
  const picture = currentOf(state);
  const model = modelOf(state);
  const answer = picture?.answer;
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
        <Views picture={picture} state={state} />
        <Tabs current={state.tab} />
        <div role="tabpanel" id={`panel-${state.tab}`} aria-labelledby={`tab-${state.tab}`} tabIndex={-1} class="panel-content">
          {!answer || !model || !picture ? (
            <p class="quiet">{picture?.state === 'failed' ? 'There are no results for this picture.' : 'The results come here.'}</p>
          ) : state.tab === 'detections' ? (
            <Detections answer={answer} items={items} model={model} state={state} />
          ) : state.tab === 'decision' ? (
            <Decision answer={answer} items={items} model={model} picture={picture} state={state} />
          ) : (
            <RequestPanel answer={answer} items={items} model={model} picture={picture} state={state} />
          )}
        </div>
      </section>
    </div>
  );
}

/** Tabs as the ARIA practices describe them: arrows move between them, one tab stop for all. */
function Tabs({ current }: { current: Tab }) {
  const move = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by !== 0) {
      const at = tabs.findIndex(([tab]) => tab === current);
      const [next] = tabs[(at + by + tabs.length) % tabs.length]!;
      openTab(next);
      document.getElementById(`tab-${next}`)?.focus();
      event.preventDefault();
    }
  };
  return (
    <div role="tablist" aria-label="Results" class="tabs" onKeyDown={move}>
      {tabs.map(([tab, name]) => (
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
