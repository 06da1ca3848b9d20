import { readFileSync, writeFileSync } from 'node:fs'
import type { AllocationId, InstanceId, JobId, SlotId } from '@flink-ts/common'
import { expect, it } from 'vitest'
import { SlotManager } from './slot-manager.ts'
import type { SlotManagerAction, SlotManagerEvent } from './slot-manager-protocol.ts'

// Commands, `----`, the expected actions and slots. UPDATE_TRANSCRIPTS=1 writes the output anew.
const file = new URL('../testdata/slot-manager.txt', import.meta.url)

it('behaves as its transcript says', () => {
  const text = readFileSync(file, 'utf8')
  let next = 0
  const manager = new SlotManager(() => `x${++next}` as AllocationId)
  const instances: InstanceId[] = []
  const run = (command: string): readonly string[] => {
    const [verb = '', first = '', second = '', third = ''] = command.split(' ')
    const instanceId = first as InstanceId
    const slot = { instanceId, slotId: second as SlotId }
    const events: Record<string, () => SlotManagerEvent> = {
      register: () => {
        instances.push(instanceId)
        const slots = [second, third].filter(Boolean).map(word => {
          const [slotId, jobId] = word.split('=')
          const allocation = jobId && { allocationId: `old-${slotId}` as AllocationId, jobId: jobId as JobId }
          return { slotId: slotId as SlotId, allocation: allocation || undefined }
        })
        return { type: 'task-manager-registered', instanceId, slots }
      },
      drain: () => ({ type: 'task-manager-draining', instanceId }),
      lost: () => ({ type: 'task-manager-lost', instanceId }),
      job: () => ({
        type: 'job-registered',
        jobId: first as JobId,
        jobMasterAddress: 'jm:1',
        jobMasterEndpoint: first,
      }),
      'job-lost': () => ({ type: 'job-lost', jobId: first as JobId }),
      need: () => ({ type: 'requirement-declared', jobId: first as JobId, slots: Number(second) }),
      accepted: () => ({ type: 'slot-request-accepted', ...slot, allocationId: third as AllocationId }),
      refused: () => ({ type: 'slot-request-refused', ...slot, allocationId: third as AllocationId }),
      retry: () => ({ type: 'slot-retry-due', ...slot }),
      available: () => ({ type: 'slot-available', ...slot, allocationId: third as AllocationId }),
    }
    if (verb === 'slots') {
      return instances.flatMap(id =>
        [...(manager.slotsOf(id) ?? [])].map(([slotId, state]) => {
          const owner = 'jobId' in state ? ` ${state.jobId} ${state.allocationId}` : ''
          return `${id} ${slotId} ${state.type}${owner}`
        }),
      )
    }
    return manager.handle(events[verb]!()).map(describeAction)
  }
  const actual = text
    .trimEnd()
    .split(/\n\n+/)
    .map(block => {
      const commands = block.split('\n----')[0]!
      const lines = commands.split('\n').filter(line => !line.startsWith('#'))
      return `${commands}\n----\n${lines.flatMap(run).join('\n') || '(nothing)'}`
    })
    .join('\n\n')
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(file, `${actual}\n`)
  expect(`${actual}\n`).toBe(text)
})

function describeAction(action: SlotManagerAction): string {
  switch (action.type) {
    case 'request-slot': {
      const { slotId, jobId, allocationId } = action.request
      return `request ${action.instanceId} ${slotId} for ${jobId} as ${allocationId}`
    }
    case 'retry-slot-later':
      return `retry ${action.slotId} later`
    case 'notify-not-enough':
      return `${action.jobId} has ${action.available} of ${action.required}`
  }
}
