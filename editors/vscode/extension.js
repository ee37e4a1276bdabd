// The client of `tidegate lsp`: it starts the server and hands it the files of catalogs.

'use strict';

const { commands, workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

/** @type {LanguageClient | undefined} */
let client;

/** The scheme of the pages of rules, which only the server has. */
const PAGES = 'tidegate-rule';

/** Everything that a catalog consists of; a change of any of them may change what is found in another. */
const FILES = '**/*.{yaml,yml,json,jsonl,sql,ts,toml}';

async function start() {
  const command = workspace.getConfiguration('tidegate').get('path', 'tidegate');
  client = new LanguageClient(
    'tidegate',
    'Tidegate',
    { command, args: ['lsp'] },
    {
      documentSelector: [
        { scheme: 'file', language: 'flow-yaml' },
        { scheme: 'file', pattern: '**/{flow.json,*.flow.json}' },
        { scheme: 'file', language: 'yaml' },
        { scheme: 'file', language: 'json' },
        { scheme: 'file', language: 'sql' },
      ],
      initializationOptions: { rulePages: true },
      synchronize: { fileEvents: workspace.createFileSystemWatcher(FILES) },
    },
  );
  await client.start();
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

/** @param {import('vscode').ExtensionContext} context */
async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(commands.registerCommand('tidegate.restart', restart));
  context.subscriptions.push(
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('tidegate.path')) {
        void restart();
      }
    }),
  );
  const provideTextDocumentContent = (/** @type {import('vscode').Uri} */ uri) =>
    client?.sendRequest('tidegate/rulePage', { uri: uri.toString() });
  context.subscriptions.push(
    workspace.registerTextDocumentContentProvider(PAGES, { provideTextDocumentContent }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
