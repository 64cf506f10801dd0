import type { DoctorReport } from './doctor.ts'
import type { Finding } from './finding.ts'

const ROWS = ['symptom', 'evidence', 'cause', 'mend'] as const

/** Below this many columns a table is no help. */
const LEAST_WIDTH = 40

/**
 * The report as a table for a terminal.
 *
 * @param width - columns of the terminal.
 */
export function renderReport(report: DoctorReport, width: number): string {
  const { findings, passed, skipped } = report
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`
  const columns = Math.max(width, LEAST_WIDTH)
  return [
    `Page  ${report.page}`,
    `Sync  ${report.sync}`,
    '',
    ...findings.flatMap((finding) => [...renderFinding(finding, columns), '']),
    `${count}, ${passed.length} checks passed.`,
    ...(skipped.length > 0 ? [`Not judged until that is mended: ${skipped.join(', ')}.`] : []),
    '',
  ].join('\n')
}

const LABEL_WIDTH = Math.max(...ROWS.map((row) => row.length))

function renderFinding(finding: Finding, width: number): readonly string[] {
  const left = '─'.repeat(LABEL_WIDTH + 2)
  const textWidth = width - LABEL_WIDTH - 4
  const rule = (cross: string): string => `${left}${cross}${'─'.repeat(textWidth + 1)}`
  return [
    finding.check,
    rule('┬'),
    ...ROWS.flatMap((row) =>
      wrap(finding[row], textWidth).map(
        (line, index) => ` ${(index === 0 ? row : '').padEnd(LABEL_WIDTH)} │ ${line}`,
      ),
    ),
    rule('┴'),
  ]
}

/** Breaks at spaces; a word that is longer than the line is cut. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
    while (line.length > width) {
      lines.push(line.slice(0, width))
      line = line.slice(width)
    }
  }
  return [...lines, line]
}
