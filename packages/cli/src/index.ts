export { doctor, type DoctorOptions, type DoctorReport } from './doctor/doctor.ts'
export type { CheckName, Finding } from './doctor/finding.ts'
export { keygen, type KeygenOptions, type KeygenResult } from './keygen/keygen.ts'
export type { SigningAlgorithm } from './keygen/signing-key.ts'
