import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { UserError } from '../base/errors.ts'
import { findUser } from './user.ts'

const folder = mkdtempSync(join(tmpdir(), 'utrace-user-'))
afterAll(() => rmSync(folder, { recursive: true }))

const passwd = join(folder, 'passwd')
writeFileSync(
  passwd,
  `# comment
alice:x:41001:41002:Alice,,,:/home/alice:/bin/zsh
builder:x:41003:41003:::
41001:x:41004:41004::/home/number:/bin/sh
broken:x:minus:1::/:/bin/sh
+::::::
`,
)

describe('findUser', () => {
  test.each([
    ['alice', { name: 'alice', uid: 41001, gid: 41002, home: '/home/alice', shell: '/bin/zsh' }],
    ['builder', { name: 'builder', uid: 41003, gid: 41003, home: '/', shell: '/bin/sh' }],
    ['41003', { name: 'builder', uid: 41003, gid: 41003, home: '/', shell: '/bin/sh' }],
    // A name that looks like a number is a name first.
    ['41001', { name: '41001', uid: 41004, gid: 41004, home: '/home/number', shell: '/bin/sh' }],
  ])('%s', (nameOrId, account) => {
    expect(findUser(nameOrId, passwd)).toEqual(account)
  })

  test.each([passwd, join(folder, 'no such file')])(
    'asks the directory for whom %s does not know',
    (path) => {
      expect(findUser('root', path)).toMatchObject({ name: 'root', uid: 0, gid: 0 })
      expect(findUser('0', path)).toMatchObject({ name: 'root', uid: 0 })
    },
  )

  test.each([
    ['alcie', "there is no user 'alcie': did you mean 'alice'?"],
    ['broken', "there is no user 'broken': see 'getent passwd' for those there are"],
    ['4294967295', "there is no user '4294967295': see 'getent passwd' for those there are"],
    ['--help', "there is no user '--help': see 'getent passwd' for those there are"],
    ['', "there is no user '': see 'getent passwd' for those there are"],
    ['x\ny', "there is no user 'x\\x0ay': see 'getent passwd' for those there are"],
  ])('%j is refused', (nameOrId, message) => {
    expect(() => findUser(nameOrId, passwd)).toThrow(new UserError(message))
  })

  test('says why a passwd file cannot be read', () => {
    expect(() => findUser('alice', folder)).toThrow(/^cannot read .*: EISDIR/)
  })
})
