import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';

// The rooms from the bottom up; a room imports only from rooms before it (docs/architecture.md says what each is for).
const engineRooms = [
  'base',
  'wire',
  'arch',
  'image',
  'kd',
  'target',
  'unwind',
  'symbols',
  'expression',
  'nt',
  'command',
  'session',
  'remote',
].map((room) => `src/engine/${room}`);
const faces = ['src/adapter', 'src/cli', 'src/extension'];

const zones = [
  ...engineRooms.map((room, index) => ({
    target: `./${room}`,
    from: [...engineRooms.slice(index + 1), ...faces].map((other) => `./${other}`),
    message: 'A room imports only from rooms below it (docs/architecture.md).',
  })),
  // The programs on top share the engine and nothing else; the extension may read the adapter's launch types.
  {
    target: './src/adapter',
    from: ['./src/cli', './src/extension'],
    message: 'The adapter uses the engine only.',
  },
  {
    target: './src/cli',
    from: ['./src/adapter', './src/extension'],
    message: 'The terminal uses the engine only.',
  },
  { target: './src/extension', from: ['./src/cli'], message: 'The extension does not use the terminal.' },
];

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'demo/**',
      'samples/**',
      'node_modules/**',
      'test/workbench/**',
      'test/desktop/**',
      'coverage/**',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'no-console': 'error',
      // `const { left, ...rest } = value` is how a member is left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      'max-lines': ['error', { max: 600 }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/engine/**/*.ts', 'src/adapter/**/*.ts', 'src/cli/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'vscode', message: 'Only src/extension knows vscode.' }] },
      ],
    },
  },
  {
    files: ['src/engine/**/*.ts', 'src/cli/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [{ name: 'vscode', message: 'Only src/extension knows vscode.' }],
          patterns: [{ group: ['@vscode/*'], message: 'Only the adapter knows DAP.' }],
        },
      ],
    },
  },
);
