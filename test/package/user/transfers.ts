/** Large blobs, as a user would read them. */
import type { Download, DownloadInfo, DownloadOptions, NodeReadable, Repository } from 'blobwire'

export async function transfers(repo: Repository): Promise<number> {
  const options: DownloadOptions = { start: 0, end: 1_000_000, parallel: 4, stallTimeoutMs: 10_000 }
  const download: Download = repo.download({ revision: 'main', path: 'video.mp4' }, options)
  const info: DownloadInfo = await download.info()
  let bytes = info.end - info.start
  for await (const chunk of download) bytes -= chunk.length
  const stream: NodeReadable = repo.download(info.oid).toNodeStream()
  stream.on('end', () => undefined).destroy()
  const web: ReadableStream<Uint8Array> = repo.download(info.oid).stream()
  const { size } = await repo.download(info.oid).toFile('video.mp4')
  return web.locked ? bytes : size
}
