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
    const load = async () => {
      const response = await fetch('https://api.example/orders')
      orders.value = response.ok ? ((await response.json()) as readonly Order[]) : []
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
        ? h(
            'ul',
            { onClick: load },
            orders.value.map(({ id, customer }) => h('li', { key: id }, customer)),
          )
        : h('p', { role: 'status' }, status.value)
  },
})
