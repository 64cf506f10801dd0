import type { TokenReader } from '@token-bridge/core'
import { defineComponent, h, ref, watch, type PropType } from 'vue'
import { useAuth } from './use-auth.ts'

interface Order {
  readonly id: number
  readonly customer: string
}

/** With a template: `<ul v-if="status === 'ready'">…</ul><p v-else role="status">{{ status }}</p>`. */
export const Orders = defineComponent({
  props: { auth: { type: Object as PropType<TokenReader>, required: true } },
  setup({ auth }) {
    const { status, fetch } = useAuth(auth)
    const orders = ref<readonly Order[]>([])
    const hasFailed = ref(false)
    const load = async () => {
      hasFailed.value = false
      try {
        const response = await fetch('https://api.example/orders')
        if (!response.ok) throw new Error(`The API answered ${response.status}.`)
        orders.value = (await response.json()) as readonly Order[]
      } catch {
        // Also when the session has ended meanwhile: then the status says so, and there is nothing to try again.
        hasFailed.value = true
      }
    }
    watch(
      status,
      async (now) => {
        if (now === 'ready') await load()
        // What was loaded in one session is not shown in the next.
        else if (now === 'signed-out') orders.value = []
      },
      { immediate: true },
    )
    return () =>
      status.value === 'ready'
        ? [
            hasFailed.value ? h('p', { role: 'alert' }, 'The orders could not be loaded.') : null,
            h(
              'ul',
              { onClick: load },
              orders.value.map(({ id, customer }) => h('li', { key: id }, customer)),
            ),
          ]
        : h('p', { role: 'status' }, status.value)
  },
})
