export { adapterContract, type AdapterHarness, type ContractTools } from './adapter-contract.ts'
export {
  createFakeAuthority,
  type FailOptions,
  type FakeAuthority,
  type FakeAuthorityOptions,
  type HeldAnswers,
  type HoldOptions,
  type RecordedRequest,
} from './fake-authority.ts'
export { createFakeReader, type FakeReader, type FakeReaderOptions } from './fake-reader.ts'
