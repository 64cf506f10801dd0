import type { ControlChange, Controls } from '../host-server/controls.ts'

const URL = '/demo/controls.json'

export async function readControls(): Promise<Controls> {
  const response = await fetch(URL, { cache: 'no-store' })
  return (await response.json()) as Controls
}

export async function changeControls(change: ControlChange): Promise<Controls> {
  const response = await fetch(URL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(change),
  })
  if (!response.ok) throw new Error(`The demo server answered ${response.status}.`)
  return (await response.json()) as Controls
}
