import reactHooks from 'eslint-plugin-react-hooks';
import a11y from 'eslint-plugin-jsx-a11y';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

// The order of the chain. A feature may use another one's calls and parts, but nothing uses a page.
const noPages = { group: ['@/features/*/routes/*'], message: 'Pages are for the router only.' };

export default defineConfig(
  { ignores: ['dist', 'src/api/schema.d.ts'] },
  typescript.configs.strict,
  typescript.configs.stylistic,
  reactHooks.configs.flat['recommended-latest'],
  a11y.flatConfigs.recommended,
  {
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-imports': ['error', { patterns: [noPages] }],
    },
  },
  { files: ['src/app/router.tsx'], rules: { 'no-restricted-imports': 'off' } },
  {
    // What all features stand on knows none of them.
    files: ['src/api/**', 'src/components/ui/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['@/features/*', '@/components/layout/*'] }],
    },
  },
);
