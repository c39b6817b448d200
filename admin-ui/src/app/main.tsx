import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './page.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Providers } from './providers';

declare global {
  // Read by the library that keeps the page from scrolling behind a dialog, when it writes its style element.
  var __webpack_nonce__: string | undefined;
}

const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';
globalThis.__webpack_nonce__ = nonce;

const root = document.getElementById('root');
if (!root) {
  throw new Error('index.html has no element "root"');
}

createRoot(root).render(
  <StrictMode>
    <Providers nonce={nonce} />
  </StrictMode>,
);
