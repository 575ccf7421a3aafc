import { RequestRecord } from '../../server-fixture/metrics/request-record.ts'
import { ServerMetrics } from '../../server-fixture/metrics/server-metrics.ts'

/** The record of a request whose figures nobody reads. */
export function newRecord(): RequestRecord {
  return new RequestRecord(new ServerMetrics(), 'json', 'test')
}
