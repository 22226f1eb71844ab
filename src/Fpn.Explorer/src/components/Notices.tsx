import type { Fault } from '../fault';
import { retryAll } from '../actions';
import type { State } from '../state';
import { Icon } from './graphics/Icon';

/** What went wrong and what to do. */
export function FaultNotice({ fault, onRetry }: { fault: Fault; onRetry?: () => void }) {
  return (
    <div class="notice fault" role="alert" data-kind={fault.kind}>
      <Icon name="warning" />
      <div>
        <p><b>{fault.title}.</b> {fault.advice}</p>
        {fault.detail && fault.detail !== fault.advice && (
          <details>
            <summary>What the service said</summary>
            <p class="quiet">{fault.detail}</p>
          </details>
        )}
      </div>
      {fault.retry && onRetry && <button type="button" onClick={onRetry}>Try again</button>}
    </div>
  );
}

/** Shown while the service is away, and when it is back while pictures still wait for it. */
export function OfflineNotice({ state }: { state: State }) {
  const stranded = state.pictures.filter(({ fault }) => fault?.kind === 'offline').length;
  if (!state.connected) {
    return (
      <div class="notice" role="alert" data-kind="away">
        <Icon name="warning" />
        <p><b>The service does not answer.</b> Your pictures and results stay here. Looking for it …</p>
      </div>
    );
  }

  return stranded === 0 ? null : (
    <div class="notice good" role="alert" data-kind="back">
      <p><b>The service is back.</b></p>
      <button type="button" onClick={retryAll}>{stranded === 1 ? 'Send the picture again' : `Send ${stranded} pictures again`}</button>
    </div>
  );
}
