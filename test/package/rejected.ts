/** What a user could get wrong, and how the compiler answers. */
export const rejected: readonly { code: string; error: RegExp }[] = [
  { code: 'repo.batch([{ storeTrees: {} }])', error: /TS2561.*'storeTrees' does not exist.*'storeTree'/ },
  { code: 'repo.batch([{ storeBlob: { content: 5 } }])', error: /TS2322.*'number' is not assignable to type 'Bytes'/ },
  { code: "repo.batch([{ getTree: { revision: 'main', recursiv: true } }])", error: /TS2322.*'never'/ },
  { code: "repo.batch([{ storeBlob: { content: '' }, getBlob: { oid: '' } }])", error: /TS2322/ },
  { code: 'repo.batch([{}])', error: /TS2322/ },
  { code: "client.batch('demo', [{ getCommit: { revision: 1 } }])", error: /TS2322.*'number'/ },
  {
    code: "repo.batch([{ storeBlob: { content: '' } }]).then(([stored]) => stored.value.oid)",
    error: /TS18048.*'stored.value' is possibly 'undefined'/
  },
  {
    code: "repo.batch([{ storeBlob: { content: '' } }]).then(([stored]) => stored.ok && stored.value.content)",
    error: /TS2339.*'content' does not exist on type 'StoreBlobResponse'/
  },
  {
    code: "repo.batch([{ storeBlob: { content: '' } }]).then((results) => results[1])",
    error: /TS2493.*no element at index '1'/
  },
  { code: "repo.storeTree([{ path: 'a', mode: '644', oid: '' }])", error: /TS2322.*"644"/ },
  { code: "repo.createRepository({ objectFormat: 'md5' })", error: /TS2322.*"md5"/ },
  {
    code: "repo.compare({ base: '', head: '' }).then(({ changes }) => changes[0]?.status === 'renamed')",
    error: /TS2367.*"renamed"/
  },
  { code: 'call.onCancel({})', error: /TS2339.*'onCancel'/ },
  { code: 'call.message.content', error: /TS2339.*'content'/ },
  { code: "call.method === 'storeBlobs'", error: /TS2367.*"storeBlobs"/ },
  {
    code: "createClient({ endpoint: '', interceptors: [{ call: interceptor }] })",
    error: /TS(2353|2561|2769|2322).*'(call|request)'/
  },
  { code: 'same<string, number>(true)', error: /TS2345.*'true'.*'false'/ }
]
