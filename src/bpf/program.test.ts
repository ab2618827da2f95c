import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { UserError } from '../base/errors.ts'
import { readKernelTypes } from './btf.ts'
import { possibleCpuCount } from './cpus.ts'
import { eventRingBytes } from './event-ring.ts'
import { kernelMembers } from './layout.ts'
import { BpfMap, mapType, readOnlyForPrograms, u32Bytes } from './map.ts'
import { type BpfObject, type BpfProgramCode, readBpfObject } from './object.ts'
import { type Bindings, loadProgram } from './program.ts'
import { runContext } from './run-context.ts'

const object = readBpfObject(readFileSync(new URL('../../bpf/utrace.bpf.o', import.meta.url)))

const unbound: Bindings = {
  mapFd: () => -1,
  constantsFd: -1,
  kernelFunctionId: () => undefined,
  attachedTypeId: () => undefined,
}

/** An object with one program of hand-written instructions: opcode, registers, offset and immediate each. */
function objectOf(
  instructions: readonly (readonly [number, number, number, number])[],
  name = 'tiny',
): BpfObject {
  const code = Buffer.alloc(instructions.length * 8)
  for (const [index, [opcode, registers, offset, immediate]] of instructions.entries()) {
    code.writeUInt8(opcode, index * 8)
    code.writeUInt8(registers, index * 8 + 1)
    code.writeInt16LE(offset, index * 8 + 2)
    code.writeInt32LE(immediate, index * 8 + 4)
  }
  const program: BpfProgramCode = { name, section: 'uprobe.multi', instructions: code, relocations: () => [] }
  return { ...object, programs: new Map([[name, program]]) }
}

const setResult = [0xb7, 0x00, 0, 0] as const
const setSecond = [0xb7, 0x02, 0, 5] as const
const exit = [0x95, 0, 0, 0] as const

/** What every number is that a program knows before it is loaded, but for those that say where its context lies. */
const constant = 8
const runContextAt = 4 * (1 + kernelMembers.length)

describe('loadProgram', () => {
  test.each([...object.programs.keys()])('the kernel takes %s', (name) => {
    const types = readKernelTypes()
    const maps = new Map(
      [...object.maps].map(([mapName, definition]) => {
        const isStorage = definition.type === mapType.taskStorage
        const maxEntries = isStorage ? 0 : definition.maxEntries || possibleCpuCount()
        const valueSize = definition.valueSize || (mapName === 'rings' ? eventRingBytes(constant) : 0)
        return [mapName, new BpfMap(mapName, { ...definition, maxEntries, valueSize })] as const
      }),
    )
    const valueSize = object.constants.length
    const constants = new BpfMap('constants', {
      type: mapType.array,
      keySize: 4,
      valueSize,
      maxEntries: 1,
      flags: readOnlyForPrograms,
    })
    const values = Buffer.alloc(valueSize, u32Bytes(constant))
    Buffer.from(Uint32Array.from(runContext(types)).buffer).copy(values, runContextAt)
    constants.update(0, values)
    constants.freeze()
    const fd = loadProgram(object, name, {
      mapFd: (mapName) => maps.get(mapName)!.fd,
      constantsFd: constants.fd,
      kernelFunctionId: types.functionId,
      attachedTypeId: (section, attached) =>
        section === 'iter'
          ? types.functionId(`bpf_iter_${attached}`)
          : types.typedefId(`btf_trace_${attached}`),
    })
    expect(fd).toBeGreaterThan(2)
  })

  test('takes a program of two instructions', () => {
    expect(loadProgram(objectOf([setResult, exit]), 'tiny', unbound)).toBeGreaterThan(2)
  })

  test('says in one line why the verifier refuses a program, and how much more there is to know', () => {
    const load = () => loadProgram(objectOf([setSecond, exit]), 'tiny', unbound)
    expect(load).toThrow(UserError)
    expect(load).toThrow(
      /^the kernel refuses the BPF program tiny: EACCES: R0 !read_ok \(\d+ lines of the verifier's log omitted\)$/,
    )
  })

  test('says so where the kernel gives no reason', () => {
    expect(() => loadProgram(objectOf([]), 'tiny', unbound)).toThrow(
      /^the kernel refuses the BPF program tiny: E[A-Z0-9]+: no reason given$/,
    )
  })

  test('names what the object or the kernel lacks', () => {
    expect(() => loadProgram(object, 'nothing', unbound)).toThrow('the BPF object has no program nothing')
    expect(() => loadProgram(object, 'probe_session', { ...unbound, mapFd: () => 0 })).toThrow(
      'this kernel has no function bpf_rdonly_cast',
    )
  })
})
