import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { UsageError, UserError } from '../base/errors.ts'
import { quoteText } from '../base/escape.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/**
 * `127.0.0.1:9464`, `[::1]:9464`, or a port alone, which is on 127.0.0.1.
 * @param anywhere whether others than this machine may connect
 * @throws UsageError
 */
export function parseListenAddress(text: string, anywhere: boolean): ListenAddress {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? '127.0.0.1'
  const port = Number(match?.[3] ?? -1)
  const family = isIP(host)
  if (match === null || family === 0 || port > 65535) {
    throw new UsageError(`${quoteText(text)} is no address to listen on: give one such as 127.0.0.1:9464`)
  }
  if (!anywhere && !loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')) {
    throw new UsageError(
      `${quoteText(text)} can be reached from other machines, and names of functions would be read there: give --metrics-anywhere as well if that is meant`,
    )
  }
  return { host, port }
}

/** Serves what `text` returns at /metrics. @throws UserError if the address is not to be had */
export async function serveMetrics({ host, port }: ListenAddress, text: () => string): Promise<Server> {
  const server = createServer((request, response) => {
    const isMetrics = request.method === 'GET' && request.url?.split('?')[0] === '/metrics'
    response.writeHead(isMetrics ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(isMetrics ? text() : 'metrics are at /metrics\n')
  })
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new UserError(
      `cannot listen on ${host}:${port}: ${(cause as NodeJS.ErrnoException).code}: give --metrics-listen another port`,
      { cause },
    )
  }
  server.unref()
  return server
}
