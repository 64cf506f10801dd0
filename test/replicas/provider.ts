/** A process with an OpenID provider that rotates refresh tokens and ends the grant of one that is used twice. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Adapter, type AdapterPayload } from 'oidc-provider'
import { hashSecretId } from '../../packages/server/src/secret-id.ts'
import { createRandom } from '../simulation/random.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type ProviderEvent,
  type ProviderSettings,
  type WhenIdle,
} from './messages.ts'

const settings = JSON.parse(process.argv[2] ?? '') as ProviderSettings
const random = createRandom(settings.seed)
const tell = (event: ProviderEvent): void => void process.send?.(event)

/** Everything ever issued. The provider's own memory forgets all but the last thousand. */
const records = new Map<string, AdapterPayload>()
/** Milliseconds since the epoch, by refresh token. */
const consumedAt = new Map<string, number>()

function adapter(model: string): Adapter {
  const key = (id: string): string => `${model}:${id}`
  const findBy = async (name: 'uid' | 'userCode', value: string) =>
    [...records].find(([id, record]) => id.startsWith(`${model}:`) && record[name] === value)?.[1]
  return {
    async upsert(id, payload) {
      records.set(key(id), payload)
    },
    find: async (id) => records.get(key(id)),
    findByUid: (uid) => findBy('uid', uid),
    findByUserCode: (userCode) => findBy('userCode', userCode),
    async consume(id) {
      const record = records.get(key(id))
      if (record !== undefined) record.consumed = Math.floor(Date.now() / 1000)
      // A grace period begins once: repeating a token does not make it longer.
      if (!consumedAt.has(id)) consumedAt.set(id, Date.now())
    },
    async destroy(id) {
      records.delete(key(id))
    },
    async revokeByGrantId(grantId) {
      for (const [id, record] of records) if (record.grantId === grantId) records.delete(id)
    },
  }
}

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter,
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      redirect_uris: [`${settings.origin}/api/auth/callback`],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
  cookies: { keys: ['replicas'] },
  scopes: ['openid', 'offline_access'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    introspection: { enabled: settings.introspects },
  },
  ttl: { AccessToken: 3600, Session: 86_400, Grant: 86_400, RefreshToken: 86_400 },
  async loadExistingGrant({ oidc }) {
    if (oidc.client === undefined || oidc.session?.accountId === undefined) return undefined
    const { clientId } = oidc.client
    const grant = new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId })
    grant.addOIDCScope('openid offline_access')
    await grant.save()
    return grant
  },
})

const underWay = new Map<string, number>()
const wait = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, random.next() * settings.latency))

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/sign-in/')) {
    ctx.respond = false
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'alice' } })
  }
  const replica = ctx.get('x-replica')
  underWay.set(replica, (underWay.get(replica) ?? 0) + 1)
  try {
    await wait()
    // Read here, since the provider reads a body only once and keeps it where it is not ours to look.
    if (ctx.path === '/token') await answerToken(ctx, next, replica)
    else await next()
    if (ctx.path === '/token/introspection') {
      const { active } = ctx.body as { active: boolean }
      tell({ type: 'introspected', replica, isActive: active })
    }
    await wait()
  } finally {
    underWay.set(replica, (underWay.get(replica) ?? 1) - 1)
  }
})

type Context = Parameters<Parameters<typeof provider.use>[0]>[0]

async function answerToken(
  ctx: Context,
  next: () => Promise<unknown>,
  replica: string,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer)
  const body = new URLSearchParams(Buffer.concat(chunks).toString())
  Object.assign(ctx.req, { body: Object.fromEntries(body) })
  const sent = body.get('refresh_token')
  if (sent === null) {
    await next()
    return
  }
  const token = await hashSecretId(sent)
  const record = records.get(`RefreshToken:${sent}`)
  const isUsed = record?.consumed !== undefined
  const isRepeat = isUsed && Date.now() - (consumedAt.get(sent) ?? 0) < settings.grace
  if (isRepeat) delete record.consumed
  else if (isUsed || record === undefined) tell({ type: 'reuse', replica, token })
  await next()
  const successor = (ctx.body as { refresh_token?: string } | undefined)?.refresh_token
  if (successor === undefined) return
  tell({
    type: 'consumed',
    replica,
    token,
    successor: await hashSecretId(successor),
    at: consumedAt.get(sent) ?? 0,
    isRepeat,
  })
}

function sayWhenIdle({ replica }: WhenIdle): void {
  if ((underWay.get(replica) ?? 0) === 0) tell({ type: 'idle', replica })
  else setTimeout(sayWhenIdle, 2, { replica })
}
process.on('message', sayWhenIdle)
process.on('disconnect', () => process.exit())
const handle = provider.callback()
server.on('request', (request, response) => void handle(request, response))
process.send?.({ type: 'ready', port })
