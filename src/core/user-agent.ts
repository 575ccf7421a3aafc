/** The name of the client in requests. */

/** The package's version; test/client/user-agent.test.ts holds it against package.json. */
const version = '0.1.0'

/** Products in the order of their importance: the application, then the client (RFC 9110 section 10.1.5). */
export function userAgentOf(application: string | undefined): string {
  return application === undefined ? `blobwire/${version}` : `${application} blobwire/${version}`
}
