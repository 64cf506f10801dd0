/** What the API answers: small, and a little different on every call, so that one sees it is live. */
export interface DashboardAnswer {
  readonly revenue: number
  readonly visitors: number
  readonly conversion: number
}

export interface Order {
  readonly id: string
  readonly customer: string
  readonly total: number
  readonly state: 'packed' | 'shipped' | 'paid'
}

export interface OrdersAnswer {
  readonly orders: readonly Order[]
}

export interface ReportsAnswer {
  readonly regions: readonly { readonly name: string; readonly sales: number }[]
}

export function dashboard(call: number): DashboardAnswer {
  return {
    revenue: 48_250 + call * 37,
    visitors: 1_204 + ((call * 13) % 90),
    conversion: 3.1 + (call % 7) / 10,
  }
}

const CUSTOMERS = ['Grace Hopper', 'Alan Turing', 'Edsger Dijkstra', 'Barbara Liskov', 'Tim Wu']
const STATES = ['paid', 'packed', 'shipped'] as const

export function orders(call: number): OrdersAnswer {
  return {
    orders: [2, 1, 0].map((back) => {
      const number = call + 1000 - back
      return {
        id: `#${number}`,
        customer: CUSTOMERS[number % CUSTOMERS.length] ?? '',
        total: 40 + ((number * 47) % 260),
        state: STATES[back] ?? 'paid',
      }
    }),
  }
}

export function reports(call: number): ReportsAnswer {
  return {
    regions: ['North', 'South', 'East', 'West'].map((name, index) => ({
      name,
      sales: 40 + ((call * 7 + index * 23) % 55),
    })),
  }
}
