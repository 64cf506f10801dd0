import { createProgress } from '../progress.ts'
import { buildDemo } from './build-demo.ts'

await buildDemo(createProgress(false))
