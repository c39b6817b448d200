import '@testing-library/jest-dom/vitest';
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);

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
