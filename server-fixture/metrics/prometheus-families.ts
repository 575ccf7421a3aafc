/**
 * The metrics of a server, by name. Labels have few values: methods, transports, codes and reasons of this service,
 * listeners and steps of a store. Names of repositories are none of them.
 */
import type { MethodFigures } from './call-table.ts'
import { counter, type Family, gauge, histogram, type Labels, one, type Sample } from './prometheus-family.ts'
import type { ServerFigures, TransportFigures } from './snapshot.ts'

const byTransport = (value: (figures: TransportFigures) => number) => (snapshot: ServerFigures) =>
  Object.entries(snapshot.transports).map(([transport, figures]) => ({ labels: { transport }, value: value(figures) }))

const byListener =
  (value: (figures: ServerFigures['connections'][string]) => number) =>
  ({ connections }: ServerFigures) =>
    Object.entries(connections).map(([listener, figures]) => ({ labels: { listener }, value: value(figures) }))

type Table = 'calls' | 'batchOperations'

const byMethod =
  <Kind extends Sample>(table: Table, samples: (labels: Labels, calls: MethodFigures) => Kind[]) =>
  ({ transports }: ServerFigures) =>
    Object.entries(transports).flatMap(([transport, figures]) =>
      Object.entries(figures[table]).flatMap(([method, calls]) => samples({ method, transport }, calls))
    )

const failuresOf = ({ failures }: MethodFigures) =>
  Object.entries(failures).map(([outcome, value]) => {
    const [code = '', reason = ''] = outcome.split('/')
    return { code, reason, value }
  })

/** Those that failed are summed up over their reasons. */
const byCode = (table: Table) =>
  byMethod(table, (labels, calls) => {
    const codes = new Map([['ok', calls.ok]])
    for (const { code, value } of failuresOf(calls)) codes.set(code, (codes.get(code) ?? 0) + value)
    return Array.from(codes, ([code, value]) => ({ labels: { ...labels, code }, value }))
  })

const byReason = (table: Table) =>
  byMethod(table, (labels, calls) =>
    failuresOf(calls).map(({ code, reason, value }) => ({ labels: { ...labels, code, reason }, value }))
  )

const calls: Family[] = [
  counter(
    'blobwire_server_calls_total',
    'Calls that ended, by code; an operation of a session frame is a call.',
    byCode('calls')
  ),
  counter('blobwire_server_call_failures_total', 'Calls that failed, by code and reason.', byReason('calls')),
  histogram(
    'blobwire_server_call_duration_seconds',
    'Time from the arrival of a call or its frame to the answer.',
    byMethod('calls', (labels, { durations }) => [{ labels, figures: durations }])
  ),
  counter(
    'blobwire_server_batch_operations_total',
    'Operations of BatchOperations calls, by code.',
    byCode('batchOperations')
  ),
  gauge(
    'blobwire_server_calls_in_flight',
    'Calls without an answer.',
    byTransport(({ inFlight }) => inFlight)
  ),
  gauge(
    'blobwire_server_streams',
    'Open requests and streams, sessions included.',
    byTransport(({ streams }) => streams)
  ),
  gauge(
    'blobwire_server_sessions',
    'Open sessions.',
    byTransport(({ sessions }) => sessions)
  ),
  counter(
    'blobwire_server_sessions_opened_total',
    'Sessions that were opened.',
    byTransport(({ sessionsOpened }) => sessionsOpened)
  ),
  counter(
    'blobwire_server_frames_total',
    'Frames of operations that sessions received.',
    byTransport(({ frames }) => frames)
  )
]

const bytes: Family[] = (['received', 'sent'] as const).flatMap((direction): Family[] => [
  counter(
    `blobwire_server_messages_${direction}_total`,
    `Messages ${direction}.`,
    byTransport((figures) => figures[direction].messages)
  ),
  counter(
    `blobwire_server_message_${direction}_wire_bytes_total`,
    `Bytes of messages ${direction}, as the network carries them.`,
    byTransport((figures) => figures[direction].wireBytes)
  ),
  counter(
    `blobwire_server_message_${direction}_plain_bytes_total`,
    `Bytes of messages ${direction}, without their compression.`,
    byTransport((figures) => figures[direction].plainBytes)
  ),
  counter(
    `blobwire_server_network_${direction}_bytes_total`,
    `Bytes ${direction} by the connections of a listener, headers and TLS included.`,
    byListener((figures) => figures[`${direction}Bytes`])
  )
])

const transfers: Family[] = [
  counter(
    'blobwire_server_uploaded_bytes_total',
    'Bytes of blobs that upload streams brought.',
    byTransport(({ uploadedBytes }) => uploadedBytes)
  ),
  counter(
    'blobwire_server_downloaded_bytes_total',
    'Bytes of blobs that download streams sent.',
    byTransport(({ downloadedBytes }) => downloadedBytes)
  ),
  gauge(
    'blobwire_server_uploads',
    'Uploads that are not complete.',
    one(({ uploads }) => uploads.uploads)
  ),
  gauge(
    'blobwire_server_upload_held_bytes',
    'Bytes that incomplete uploads hold.',
    one(({ uploads }) => uploads.heldBytes)
  ),
  gauge(
    'blobwire_server_upload_quota_bytes',
    'Bytes that incomplete uploads may hold.',
    one(({ uploads }) => uploads.maxBytes)
  )
]

const resources: Family[] = [
  gauge(
    'blobwire_server_connections',
    'Open connections.',
    byListener(({ open }) => open)
  ),
  counter(
    'blobwire_server_connections_opened_total',
    'Connections that were opened.',
    byListener(({ opened }) => opened)
  ),
  gauge(
    'blobwire_server_memory_budget_held_bytes',
    'Bytes that requests in flight hold.',
    one(({ memory }) => memory.heldBytes)
  ),
  gauge(
    'blobwire_server_memory_budget_bytes',
    'Bytes that requests in flight may hold.',
    one(({ memory }) => memory.maxBytes)
  ),
  counter(
    'blobwire_server_memory_budget_refusals_total',
    'Requests for which the budget had no room.',
    one(({ memory }) => memory.refusals)
  ),
  gauge(
    'blobwire_server_unread_bytes',
    'Bytes that wait in the windows of streams that are not read.',
    one(({ memory }) => memory.unreadBytes)
  ),
  gauge(
    'blobwire_server_watches',
    'Open watches of refs.',
    one(({ watches }) => watches)
  ),
  gauge(
    'blobwire_server_git_processes',
    'Git processes that serve clones, fetches and pushes, and exports that are being made.',
    one(({ git }) => git.processes)
  ),
  gauge(
    'blobwire_server_git_waiting_requests',
    'Requests of Git clients that wait for a git process or an export.',
    one(({ git }) => git.waiting)
  ),
  gauge(
    'blobwire_server_branch_queues',
    'Branches with commits that wait or are being made.',
    one(({ queues }) => queues.branches)
  ),
  gauge(
    'blobwire_server_branch_queue_commits',
    'Commits that wait in the queues of branches, or are being made.',
    one(({ queues }) => queues.commits)
  ),
  gauge(
    'blobwire_server_decode_queue_messages',
    'Large messages that wait for their turn of decoding.',
    one(({ queues }) => queues.decoding)
  ),
  gauge(
    'blobwire_server_database_connections',
    'Open connections to the database of the store.',
    one(({ database }) => database.open)
  ),
  counter(
    'blobwire_server_database_connections_opened_total',
    'Connections to the database that were opened.',
    one(({ database }) => database.opened)
  ),
  counter(
    'blobwire_server_database_retries_total',
    'Statements and transactions that were tried again.',
    one(({ database }) => database.retries)
  ),
  gauge(
    'blobwire_server_database_held_calls',
    'Calls that wait for a connection to the database.',
    one(({ database }) => database.heldCalls)
  ),
  histogram(
    'blobwire_server_store_step_duration_seconds',
    'Durations of the steps of a store: writing a pack, moving refs, syncing the journal, calls of the database.',
    ({ store }) => Object.entries(store).map(([step, figures]) => ({ labels: { step }, figures }))
  ),
  histogram(
    'blobwire_server_event_loop_delay_seconds',
    'Time by which a timer of the event loop comes late, measured ten times a second.',
    ({ loopDelay }) => [{ labels: {}, figures: loopDelay }]
  ),
  counter(
    'blobwire_server_event_loop_seconds_total',
    'Time in which the event loop worked or waited.',
    ({ process }) => [
      { labels: { state: 'active' }, value: process.loopActiveSeconds },
      { labels: { state: 'idle' }, value: process.loopIdleSeconds }
    ]
  ),
  counter(
    'blobwire_server_access_log_lines_total',
    'Lines of the access log that were written, and that were dropped because the disk was too slow.',
    ({ accessLog }) => [
      { labels: { outcome: 'written' }, value: accessLog.written },
      { labels: { outcome: 'dropped' }, value: accessLog.dropped }
    ]
  ),
  gauge(
    'blobwire_server_ready',
    'Processes that are ready.',
    one(({ ready }) => ready)
  ),
  gauge(
    'blobwire_server_draining',
    'Processes that take no more work.',
    one(({ draining }) => draining)
  )
]

const ofProcess: Family[] = [
  counter(
    'process_cpu_seconds_total',
    'Processor time, user and system.',
    one(({ process }) => process.cpuUserSeconds + process.cpuSystemSeconds)
  ),
  gauge(
    'process_resident_memory_bytes',
    'Resident memory.',
    one(({ process }) => process.residentBytes)
  ),
  gauge(
    'process_open_fds',
    'Open file descriptors.',
    one(({ process }) => process.openFiles)
  ),
  gauge(
    'nodejs_heap_size_used_bytes',
    'Heap of V8 in use.',
    one(({ process }) => process.heapUsedBytes)
  ),
  gauge(
    'nodejs_heap_size_total_bytes',
    'Heap of V8.',
    one(({ process }) => process.heapTotalBytes)
  ),
  gauge(
    'nodejs_heap_size_limit_bytes',
    'Heap that V8 may use.',
    one(({ process }) => process.heapLimitBytes)
  ),
  gauge(
    'nodejs_external_memory_bytes',
    'Memory of buffers.',
    one(({ process }) => process.externalBytes)
  )
]

/** All of them, in the order of the text. */
export const families: readonly Family[] = [...calls, ...bytes, ...transfers, ...resources, ...ofProcess]
