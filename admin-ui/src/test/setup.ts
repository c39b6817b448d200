import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);

// A second, which is usual, passes on a machine that has a lot to do. Less than a test's limit: who waits in vain says for what.
configure({ asyncUtilTimeout: 3 * 60_000 });

// What the component library asks of a browser and jsdom does not have.
Object.defineProperty(globalThis, 'matchMedia', {
  configurable: true,
  value: (media: string) => ({
    matches: false,
    media,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    dispatchEvent: () => false,
  }),
});

class StillObserver {
  observe(): void {
    // Nothing in jsdom has a size that could change.
  }

  unobserve(): void {
    // As above.
  }

  disconnect(): void {
    // As above.
  }
}

Object.defineProperty(document, 'fonts', { value: new EventTarget(), configurable: true });
Object.defineProperty(globalThis, 'ResizeObserver', { value: StillObserver, configurable: true });
Element.prototype.scrollIntoView = () => undefined;
