// Unpacks the Chromium of the npm package @sparticuz/chromium, with the libraries and fonts that a
// small machine lacks: `node unpack_chromium.mjs PACKAGE FOLDER`. Its own code would do so only on AWS.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

const [source, target] = process.argv.slice(2)
const unpacked = (name) => brotliDecompressSync(readFileSync(join(source, 'bin', `${name}.br`)))

mkdirSync(target, { recursive: true })
for (const name of ['al2023.tar', 'fonts.tar']) {
  execFileSync('tar', ['-x', '-C', target], { input: unpacked(name) })
}
writeFileSync(join(target, 'chromium'), unpacked('chromium'), { mode: 0o755 })
const fonts = `<fontconfig><dir>${resolve(target)}/fonts</dir><cachedir>${resolve(target)}/cache</cachedir></fontconfig>`
writeFileSync(join(target, 'fonts.conf'), `<?xml version="1.0"?>\n${fonts}\n`)
