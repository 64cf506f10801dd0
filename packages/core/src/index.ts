export { createTokenBridge, SecureTokenBridge, type RotateOptions } from './bridge.ts'
export type { StoreAdapter } from './adapter.ts'
export type { CleanupReport, CleanupTask } from './cleanup.ts'
export type { BridgeConfig, RotationOptions, TokenVerifier } from './config.ts'
export type { Environment, TabChannel } from './environment.ts'
export {
  AuthError,
  isAuthError,
  TokenRejectedError,
  type AuthErrorCode,
  type AuthErrorPhase,
} from './errors.ts'
export type { InteropObservable, PartialObserver, Unsubscribable } from './interop-observable.ts'
export { openFeatureFlag, type OpenFeatureClient } from './flags/open-feature-flag.ts'
export { pollFlag, type PollFlagOptions } from './flags/poll-flag.ts'
export type { FlagSource, FlagStream } from './flags/watch-flag.ts'
export type { ReaderOptions, ReadyOptions, ReportedRequest, TokenReader } from './reader.ts'
export {
  syncEndpoint,
  type SyncEndpointOptions,
  type TokenRequest,
  type TokenSource,
} from './source.ts'
export {
  initialSnapshot,
  reduce,
  type AlertRule,
  type AuthFault,
  type AuthSnapshot,
  type AuthStatus,
  type BridgeEvent,
  type BridgeMode,
  type CleanupStep,
  type ResetReason,
} from './state.ts'
export type { AccessToken } from './token.ts'
export type { TokenPayload } from './wire.ts'
export type { TabsOptions } from './tabs/resolve-tabs.ts'
export type { AlertOptions, AlertLimit } from './telemetry/alerts.ts'
export type { BridgeMetrics, RefreshLatency } from './telemetry/meter.ts'
export type {
  BridgeLogger,
  TelemetryOptions,
  TelemetrySink,
  TelemetrySource,
} from './telemetry/options.ts'
