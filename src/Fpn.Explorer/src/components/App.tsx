import { useEffect } from 'preact/hooks';
import { add, begin, watch } from '../actions';
import { useStore } from '../state';
import { Header } from './Header';
import { Intake } from './Intake';
import { KeyDialog } from './KeyDialog';
import { FaultNotice, OfflineNotice } from './Notices';
import { Pictures } from './Pictures';
import { Server } from './Server';

const watchEvery = 2000;

export function App() {
  const state = useStore();
  useEffect(() => {
    void begin();
    const paste = (event: ClipboardEvent) => add(event.clipboardData?.files ?? []);
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) {
        event.preventDefault();
        document.documentElement.classList.add('dragging');
      }
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) {
        document.documentElement.classList.remove('dragging');
      }
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      document.documentElement.classList.remove('dragging');
      add(event.dataTransfer?.files ?? []);
    };
    document.addEventListener('paste', paste);
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('paste', paste);
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
    };
  }, []);
  useEffect(() => {
    if (state.connected) {
      return;
    }

    const timer = setInterval(() => void watch(), watchEvery);
    return () => clearInterval(timer);
  }, [state.connected]);

  return (
    <>
      <a class="skip" href="#content">Skip to the content</a>
      <Header state={state} />
      <main id="content" tabIndex={-1} class={state.page}>
        <h1 class="unseen">{state.page === 'server' ? 'Server' : 'Explorer'}</h1>
        <OfflineNotice state={state} />
        {state.fault && <FaultNotice fault={state.fault} onRetry={() => void begin()} />}
        {state.page === 'server' ? <Server state={state} /> : state.pictures.length === 0 ? <Intake state={state} /> : <Pictures state={state} />}
      </main>
      <KeyDialog open={state.keyWanted} />
      <div class="unseen" role="status">{state.message}</div>
      <div class="droptarget" aria-hidden="true"><p>Drop the pictures</p></div>
    </>
  );
}
