import { fullLifetime, noStaleToken } from './freshness.ts'
import {
  everySubscriberKnows,
  generationsOnce,
  oneOrderForAll,
  snapshotTellsTheTruth,
} from './order.ts'
import { everyTabHasItsToken } from './liveness.ts'
import type { Property } from './property.ts'
import {
  boundedRate,
  offlineAsksNothing,
  oneRefreshAtATime,
  retryAfterHonoured,
  timersDoNotSpin,
} from './requests.ts'
import {
  hostHasTheLastWord,
  noWriteAfterReset,
  requestsCarryTheCurrentToken,
  restoredPageHoldsNothing,
  signedOutOnlyWhenTold,
} from './reset.ts'
import { noFaults, secretsStayIn } from './secrets.ts'
import { signOutReachesAllTabs } from './tabs.ts'

/** What is checked after every step. */
export const ALL_PROPERTIES: readonly Property[] = [
  oneRefreshAtATime,
  noStaleToken,
  fullLifetime,
  noWriteAfterReset,
  generationsOnce,
  oneOrderForAll,
  everySubscriberKnows,
  snapshotTellsTheTruth,
  hostHasTheLastWord,
  signedOutOnlyWhenTold,
  requestsCarryTheCurrentToken,
  restoredPageHoldsNothing,
  offlineAsksNothing,
  retryAfterHonoured,
  boundedRate,
  timersDoNotSpin,
  signOutReachesAllTabs,
  everyTabHasItsToken,
  secretsStayIn,
  noFaults,
]
